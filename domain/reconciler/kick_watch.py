"""Keeps kicked people out: LiveKit can't revoke a token, so a kicked client with an old one is back within half a second."""

import asyncio
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from domain.calls.life_cycle import LIVING
from domain.ports import MediaError
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

log = structlog.get_logger(__name__)
# After that the webhook of a rejoin, and the reconciler, do it.
WATCHED_FOR: Final = timedelta(seconds=15)
KICKED: Final = sa.literal_column("'kicked'::participant_status", call_participants.c.status.type)


async def watch(world: World) -> int:
    """Asks LiveKit to remove everyone kicked in the last 15 s from a living call; returns how many really were in the room.

    Meant to run every second. Whom to watch stands in the database, so a restart forgets nobody and every worker may do it.
    """
    watched = (
        sa.select(calls.c.room_name, sa.cast(call_participants.c.user_id, sa.Text).label("identity"))
        .join(calls, calls.c.id == call_participants.c.call_id)
        # Written out, not bound: so every plan may use the index of the kicked.
        .where(call_participants.c.status == KICKED, call_participants.c.status_since > world.clock.now() - WATCHED_FOR)
        .where(calls.c.status.in_(LIVING))
    )
    async with world.transaction("kick_watch") as tx:
        rows = (await tx.connection.execute(watched)).all()
    return sum(await asyncio.gather(*(_remove(world, row.room_name, row.identity) for row in rows)))


async def _remove(world: World, room: str, identity: str) -> bool:
    try:
        return await world.rooms.remove_participant(room, identity)
    except MediaError as error:
        log.warning("kick_watch_unanswered", room=room, error=str(error))
        return False
