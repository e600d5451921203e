"""Egresses in our rooms that no part wants: of one that was given up and lives after all, or of a row that is gone.

What another deployment records on the same LiveKit lies in rooms of its own, and is no business of ours.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import MediaError
from domain.recording_ports import Egress, Recorder
from domain.recordings.names import ROOT, part_of
from domain.world import World

log = structlog.get_logger(__name__)
AT_ONCE: Final = 8
# LiveKit keeps the record of a dead worker for ever, and waits 3 s for it each time: after a while it is not asked any more.
ASKED_FOR: Final = timedelta(minutes=10)
UNWANTED: Final = sa.text("""
    SELECT listed.egress FROM unnest(:egresses, :rooms, :parts) AS listed (egress, room, part)
    LEFT JOIN nchat_call_recording_parts AS part ON part.id = listed.part
    WHERE (part.id IS NULL OR part.closed_at >= :long_ago) AND (
        EXISTS (
            SELECT FROM nchat_calls AS call WHERE call.room_name = listed.room AND (call.ended_at IS NULL OR call.ended_at >= :long_ago)
        ) OR EXISTS (
            SELECT FROM nchat_streams AS stream
            WHERE stream.call_id IS NULL AND stream.room_name = listed.room AND (stream.ended_at IS NULL OR stream.ended_at >= :long_ago)
        )
    )
""").bindparams(
    sa.bindparam("egresses", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("rooms", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("parts", type_=pg.ARRAY(pg.UUID())),
)


async def stop_strays(world: World) -> int:
    """Stops each of them; returns how many there were. Raises MediaError when LiveKit does not answer."""
    recorder = world.recorder
    if recorder is None:
        return 0
    ours = [egress for egress in await recorder.active() if egress.path_prefix.startswith(ROOT)]
    strays = await _unwanted(world, ours) if ours else []
    places = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_stop(recorder, egress_id, places) for egress_id in strays))
    return len(strays)


async def _unwanted(world: World, ours: Sequence[Egress]) -> Sequence[str]:
    listed = {
        "egresses": [egress.id for egress in ours],
        "rooms": [egress.room for egress in ours],
        "parts": [part_of(egress.path_prefix) for egress in ours],
        "long_ago": world.clock.now() - ASKED_FOR,
    }
    async with world.transaction("recording.strays") as tx:
        return (await tx.connection.execute(UNWANTED, listed)).scalars().all()


async def _stop(recorder: Recorder, egress_id: str, places: asyncio.Semaphore) -> None:
    async with places:
        log.warning("stray_egress_stopped", egress_id=egress_id)
        try:
            await recorder.stop(egress_id)
        except MediaError as error:
            log.warning("egress_not_stopped", egress_id=egress_id, error=str(error))
