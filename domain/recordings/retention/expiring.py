"""Recordings whose time is over: their removal is asked for, a bounded batch at a time. A legal hold keeps everything."""

from typing import Final

import sqlalchemy as sa
import structlog

from domain.recordings.life_cycle import PARTS_TOPIC, TOPIC
from domain.world import World

log = structlog.get_logger(__name__)
BATCH: Final = 200
# The condition repeats the index's own, so that what was removed years ago is not looked through again.
EXPIRE: Final = sa.text("""
    WITH due AS (
        SELECT recording.id FROM nchat_call_recordings AS recording
        WHERE recording.expires_at <= :now AND recording.expires_at IS NOT NULL AND recording.delete_asked_at IS NULL
            AND recording.status IN ('ready', 'failed') AND NOT recording.legal_hold
        ORDER BY recording.expires_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recordings AS recording SET delete_asked_at = :now, next_work_at = :now, work_attempts = 0
    FROM due WHERE recording.id = due.id
    RETURNING recording.id
""")


async def expire(world: World) -> int:
    """Asks for the removal of up to `BATCH` expired recordings; returns how many. Several processes share them."""
    async with world.transaction("recording.expire") as tx:
        asked = (await tx.connection.execute(EXPIRE, {"now": world.clock.now(), "batch": BATCH})).scalars().all()
        if asked:
            # Their links are gone, and those of their parts.
            tx.hint(TOPIC)
            tx.hint(PARTS_TOPIC)
    if asked:
        log.info("recordings_expired", many=len(asked))
    return len(asked)
