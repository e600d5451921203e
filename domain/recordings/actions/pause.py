"""pauseRecording and resumeRecording: between them nothing is recorded anywhere."""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from domain.errors import NotRecording
from domain.recordings.access import RecordingAccess, access_recording
from domain.recordings.actions.results import RecordingResult
from domain.recordings.life_cycle import changed
from domain.recordings.parts import end_parts
from domain.recordings.rows import lock_recording, parts_of
from domain.recordings.settling import settle
from domain.recordings.starting import begin_media
from domain.world import World
from permissions.session import Session
from schema.tables.call_recordings import call_recordings


async def pause_recording(world: World, session: Session, recording_id: UUID) -> RecordingResult:
    """Ends the present part; the recording is paused when the recorder has left the room (`recording_paused`). For its keepers.

    Asking again changes nothing. NotRecording when it does not run.
    """
    async with world.transaction("pause_recording.write") as tx:
        access = await access_recording(tx, world, session, recording_id)
        access.keeping()
        if access.recording.status == "paused" and access.recording.pause_asked_at is not None:
            return RecordingResult(recording_id, access.recording.call_id)
        if access.recording.status != "recording":
            raise NotRecording
        if access.recording.pause_asked_at is None:
            await _set_pause(access, asked=True)
            await end_parts(tx, await parts_of(tx, recording_id), "paused", now=access.now)
            await _settle_anew(access)
    return RecordingResult(recording_id, access.recording.call_id)


async def resume_recording(world: World, session: Session, recording_id: UUID) -> RecordingResult:
    """Begins the next part; `recording_resumed` comes with its first media. For its keepers. NotRecording when it is not paused."""
    async with world.transaction("resume_recording.write") as tx:
        access = await access_recording(tx, world, session, recording_id)
        access.keeping()
        if access.recording.status != "paused":
            raise NotRecording("The recording is not paused.")
        if access.recording.pause_asked_at is not None:
            await _set_pause(access, asked=False)
            await begin_media(tx, access.recording, now=access.now)
    return RecordingResult(recording_id, access.recording.call_id)


async def _set_pause(access: RecordingAccess, *, asked: bool) -> None:
    mine = sa.update(call_recordings).where(call_recordings.c.id == access.recording.id)
    await access.tx.connection.execute(mine.values(pause_asked_at=access.now if asked else None))
    changed(access.tx, access.recording.call_id)


async def _settle_anew(access: RecordingAccess) -> None:
    """A recording none of whose parts LiveKit writes is paused at once."""
    current = await lock_recording(access.tx, access.recording.id)
    if current is not None:
        await settle(access.tx, replace(access.held, recording=current), now=access.now)
