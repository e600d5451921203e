"""Which kinds of timeouts have something to decide: one question for all, where nothing is due nearly always."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from domain.timeouts.due import Timeout
from domain.world import World

_NOT_FOR_LONG = sa.text("SET LOCAL statement_timeout = '2s'")


async def due_kinds(world: World, timeouts: Sequence[Timeout[Any]]) -> set[str]:
    """The names of those that have a call or stream due now; whoever decides it asks again."""
    now = world.clock.now()
    each = [sa.select(sa.literal(timeout.name)).where(sa.exists(timeout.overdue(now, world.limits))) for timeout in timeouts]
    async with world.transaction("timeouts.due") as tx:
        # Nobody's lock on one table may keep the others waiting: after that each is looked at by itself.
        await tx.connection.execute(_NOT_FOR_LONG)
        return set((await tx.connection.execute(sa.union_all(*each))).scalars())
