"""The rooms of calls that have ended: gone, and marked as gone, however long ago the end was."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls.ending import close_room_or_leave_it
from domain.side_by_side import Failures
from domain.world import World
from schema.tables.calls import calls

# A round's worth, so that a long history takes several rounds and none of them long.
BATCH: Final = 1000


async def close_rooms(world: World, failures: Failures, others: Collection[str], looked_at: datetime) -> None:
    """Deletes what LiveKit still has of ended calls, then marks the calls whose rooms it has no more.

    `others` are the rooms that LiveKit listed after `looked_at` and that belong to no living call: somebody with an old token may have
    opened one anew where LiveKit opens rooms by itself, and some are no business of ours. Raises no MediaError: what LiveKit does not
    delete keeps its call without the mark.
    """
    if left_over := await _of_ended_calls(world, others):
        await failures.side_by_side({f"room {name}": close_room_or_leave_it(world, name) for name in left_over})
    await _mark_those_without(world, others, looked_at)


async def _of_ended_calls(world: World, names: Collection[str]) -> Sequence[str]:
    if not names:
        return []
    ended = sa.select(calls.c.room_name).where(_among(names), calls.c.status == "ended").order_by(calls.c.ended_at)
    async with world.transaction("reconcile.left_over") as tx:
        return (await tx.connection.execute(ended)).scalars().all()


async def _mark_those_without(world: World, listed: Collection[str], looked_at: datetime) -> None:
    """Marks some of the ended calls whose room was not listed, those that ended first before the others.

    What another process marks at the same moment is left to it.
    """
    unmarked = calls.c.room_closed_at.is_(None)
    gone = sa.select(calls.c.id).where(calls.c.ended_at < looked_at, unmarked, calls.c.status == "ended", sa.not_(_among(listed)))
    some = gone.order_by(calls.c.ended_at).limit(BATCH).with_for_update(skip_locked=True).cte("some")
    marked = sa.update(calls).where(calls.c.id == some.c.id, unmarked).values(room_closed_at=world.clock.now())
    async with world.transaction("reconcile.closed") as tx:
        await tx.connection.execute(marked)


def _among(names: Collection[str]) -> sa.ColumnElement[bool]:
    return calls.c.room_name == sa.any_(sa.literal(list(names), pg.ARRAY(sa.Text)))
