"""What the database says should be at LiveKit."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from domain.calls.life_cycle import CallStatus
from domain.calls.rows import Call
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

WITH_ROOM: Final[tuple[CallStatus, ...]] = ("ringing", "connecting", "connected", "reconnecting")
# A request that is being served needs this long for its room; after that, its process is gone or its call is hopeless.
HALF_STARTED_AFTER: Final = timedelta(seconds=5)


async def calls_with_rooms(world: World) -> Sequence[Call]:
    """The calls that have a room, whether or not LiveKit still has it."""
    return await _calls(world, calls.c.status.in_(WITH_ROOM))


async def half_started(world: World) -> Sequence[Call]:
    """Calls that have a host but no room: initiateCall wrote them and never came back. A row without a host waits to be started."""
    hosted = sa.exists().where(call_participants.c.call_id == calls.c.id, call_participants.c.user_id == calls.c.initiator_id)
    since = world.clock.now() - HALF_STARTED_AFTER
    return await _calls(world, calls.c.status == "initiated", calls.c.status_since <= since, hosted)


async def _calls(world: World, *conditions: sa.ColumnElement[bool]) -> Sequence[Call]:
    async with world.transaction("reconcile.calls") as tx:
        return [Call.of(row) for row in await tx.connection.execute(sa.select(calls).where(*conditions))]
