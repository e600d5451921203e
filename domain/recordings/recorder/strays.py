"""Egresses of ours that no part wants: of one that was given up and lives after all, or of a row that is gone."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import MediaError
from domain.recording_ports import Recorder
from domain.recordings.names import ROOT, part_of
from domain.world import World

log = structlog.get_logger(__name__)
AT_ONCE: Final = 8
# LiveKit keeps the record of a dead worker for ever, and waits 3 s for it each time: after a while it is not asked any more.
ASKED_FOR: Final = timedelta(minutes=10)
PARTS: Final = sa.text("""
    SELECT id, closed_at IS NULL OR closed_at < :long_ago AS left_alone FROM nchat_call_recording_parts WHERE id = ANY(:ids)
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))


async def stop_strays(world: World) -> int:
    """Stops each of them; returns how many there were. Raises MediaError when LiveKit does not answer."""
    recorder = world.recorder
    if recorder is None:
        return 0
    ours = {egress.id: part_of(egress.path_prefix) for egress in await recorder.active() if egress.path_prefix.startswith(ROOT)}
    strays = await _unwanted(world, ours)
    places = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(*(_stop(recorder, egress_id, places) for egress_id in strays))
    return len(strays)


async def _unwanted(world: World, ours: Mapping[str, UUID | None]) -> list[str]:
    if not ours:
        return []
    asked = {"ids": [part_id for part_id in ours.values() if part_id is not None], "long_ago": world.clock.now() - ASKED_FOR}
    async with world.transaction("recording.strays") as tx:
        known = {row.id: row.left_alone for row in await tx.connection.execute(PARTS, asked)}
    return [egress_id for egress_id, part_id in ours.items() if not (part_id is not None and known.get(part_id, False))]


async def _stop(recorder: Recorder, egress_id: str, places: asyncio.Semaphore) -> None:
    async with places:
        log.warning("stray_egress_stopped", egress_id=egress_id)
        try:
            await recorder.stop(egress_id)
        except MediaError as error:
            log.warning("egress_not_stopped", egress_id=egress_id, error=str(error))
