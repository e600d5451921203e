"""A stream's media: the recording row that every start writes, and its parts, which are what people watch."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from domain.recordings.life_cycle import changed, move_recording
from domain.recordings.parts import begin_composite
from domain.recordings.rows import Recording, lock_recording, parts_of
from domain.recordings.settling import NOTHING, stop
from domain.streams.rows import Stream
from domain.world import Transaction
from schema.tables.call_recordings import call_recordings
from schema.tables.streams import streams

LAYOUT: Final = "speaker"
RESOLUTION: Final = "1080p"


async def write_recording(tx: Transaction, stream: Stream, *, bucket: str | None, tier: str | None, now: datetime) -> UUID:
    """The recording of a locked stream that starts. It has no part, and waits, until somebody sends."""
    recording_id = uuid4()
    row = {
        "id": recording_id,
        "stream_id": stream.id,
        "started_by": stream.host_id,
        "title": stream.title,
        "layout": LAYOUT,
        "resolution": RESOLUTION,
        "keep": stream.record_stream,
        "storage_bucket": bucket,
        "started_at": now,
        "status_since": now,
        "tier": tier,
    }
    await tx.connection.execute(sa.insert(call_recordings).values(row))
    await tx.connection.execute(sa.update(streams).where(streams.c.id == stream.id).values(recording_id=recording_id))
    changed(tx, None)
    return recording_id


async def begin_media(tx: Transaction, stream: Stream, *, now: datetime) -> bool:
    """Somebody sends: the first part of a locked stream is wanted. False when there is one, or nothing more is to come."""
    recording = await _recording(tx, stream)
    if stream.status != "starting" or recording is None or recording.status != "starting" or await parts_of(tx, recording.id):
        return False
    # The recorder's time to begin counts from here.
    mine = sa.update(call_recordings).where(call_recordings.c.id == recording.id)
    await tx.connection.execute(mine.values(status_since=now))
    await begin_composite(tx, recording, now=now)
    return True


async def end_media(tx: Transaction, stream: Stream, *, now: datetime) -> None:
    """The recording of a locked stream ends; one that never had a part has nothing to gather."""
    recording = await _recording(tx, stream)
    if recording is None or not recording.active:
        return
    if await parts_of(tx, recording.id):
        await stop(tx, recording, "stopped", now=now)
    else:
        await move_recording(tx, recording, "failed", now=now, ended_at=now, error_message=NOTHING)


async def _recording(tx: Transaction, stream: Stream) -> Recording | None:
    return None if stream.recording_id is None else await lock_recording(tx, stream.recording_id)
