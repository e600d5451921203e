"""What the database says should be at LiveKit."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls.rows import COLUMNS, Call, Participant, Roster
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

# A request that is being served needs this long for its room; after that, its process is gone or its call is hopeless.
HALF_STARTED_AFTER: Final = timedelta(seconds=5)


async def with_people(world: World, ids: Collection[UUID]) -> Sequence[tuple[Call, Roster]]:
    """These calls with everybody in them, in two statements for all; nothing is locked."""
    if not ids:
        return []
    named = sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID())))
    async with world.transaction("reconcile.people") as tx:
        found = [Call.of(row) for row in await tx.connection.execute(sa.select(*COLUMNS).where(calls.c.id == named))]
        people: dict[UUID, list[Participant]] = {call.id: [] for call in found}
        for row in await tx.connection.execute(sa.select(call_participants).where(call_participants.c.call_id == named)):
            one = Participant.of(row)
            people[one.call_id].append(one)
    return [(call, Roster(people[call.id])) for call in found]


async def half_started(world: World) -> Sequence[Call]:
    """Calls that have a host but no room: initiateCall wrote them and never came back. A row without a host waits to be started."""
    hosted = sa.exists().where(call_participants.c.call_id == calls.c.id, call_participants.c.user_id == calls.c.initiator_id)
    since = world.clock.now() - HALF_STARTED_AFTER
    waiting = sa.select(*COLUMNS).where(calls.c.status == "initiated", calls.c.status_since <= since, hosted)
    async with world.transaction("reconcile.half_started") as tx:
        return [Call.of(row) for row in await tx.connection.execute(waiting)]
