"""stopRecording and deleteRecording."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import LegalHold, NotRecording
from domain.recordings.access import access_recording
from domain.recordings.actions.results import RecordingResult, StoppedResult
from domain.recordings.life_cycle import changed
from domain.recordings.settling import stop
from domain.world import World
from permissions.session import Session
from schema.tables.call_recordings import call_recordings

KNOWN: Final = sa.text("""
    SELECT duration, file_size, nchat_call_recordings_url(recording, CAST(:session AS json)) AS url,
        nchat_call_recordings_thumbnail_url(recording, CAST(:session AS json)) AS thumbnail_url
    FROM nchat_call_recordings AS recording WHERE id = :id
""")


async def stop_recording(world: World, session: Session, recording_id: UUID) -> StoppedResult:
    """Ends it, for its keepers, and answers at once: `recording_ready` tells when it can be had. Asking again changes nothing.

    NotRecording for one that is removed or never had anything.
    """
    async with world.transaction("stop_recording.write") as tx:
        access = await access_recording(tx, world, session, recording_id)
        access.keeping()
        if access.recording.active:
            await stop(tx, access.recording, "stopped", actor_id=access.user_id, now=access.now)
        elif access.recording.status not in ("processing", "ready"):
            raise NotRecording
        known = (await tx.connection.execute(KNOWN, {"id": recording_id, "session": session.as_argument()})).one()
    return StoppedResult(recording_id, access.recording.call_id, **known._mapping)


async def delete_recording(world: World, session: Session, recording_id: UUID) -> RecordingResult:
    """Asks for its removal: a running one ends first; its row is `deleted` when every object is gone. For who started it, hosts and admin.

    Asking again changes nothing. LegalHold for one that has to stay.
    """
    async with world.transaction("delete_recording.write") as tx:
        access = await access_recording(tx, world, session, recording_id)
        access.owning()
        if access.recording.legal_hold:
            raise LegalHold
        if access.recording.active:
            await stop(tx, access.recording, "stopped", actor_id=access.user_id, now=access.now)
        mine = sa.update(call_recordings).where(call_recordings.c.id == recording_id, call_recordings.c.delete_asked_at.is_(None))
        await tx.connection.execute(mine.values(delete_asked_at=access.now, next_work_at=access.now, work_attempts=0))
        changed(tx, access.recording.call_id)
    return RecordingResult(recording_id, access.recording.call_id)
