"""Parts that LiveKit has said its last word of become what storage really holds of them; then the recording is ready, or failed."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain import event_outbox
from domain.calls import events
from domain.recording_ports import ObjectStore, StorageError, StorageRefused
from domain.recordings.each import each
from domain.recordings.ending.gaps import gaps
from domain.recordings.ending.gathering import Gathered, gather
from domain.recordings.ending.policies import expiry
from domain.recordings.held import Held, hold, part_by_id
from domain.recordings.life_cycle import changed, move_part, move_recording
from domain.recordings.parts import set_part
from domain.recordings.rows import PARTS, Recording, RecordingPart, RecordingType, parts_of
from domain.recordings.settling import NOTHING
from domain.short_waits import short_waits
from domain.world import Transaction, World
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings

log = structlog.get_logger(__name__)
LOOK: Final = 50
# While one process gathers, no other does.
TAKEN_FOR: Final = timedelta(seconds=20)
LONGEST_PAUSE: Final = timedelta(seconds=30)
NOT_KEPT: Final = "The stream was not to be recorded: it plays for a while, and has no file."
EACH_ITS_OWN: Final = "Each track has a file of its own."
NO_STORE: Final = "The store could not be reached."
REFUSED: Final = "The store refuses to show what was recorded."
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT part.id FROM nchat_call_recording_parts AS part
        WHERE part.status = 'processing' AND part.closed_at IS NOT NULL AND part.next_look_at <= :now
        ORDER BY part.next_look_at LIMIT :look FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recording_parts AS part SET next_look_at = :until FROM due WHERE part.id = due.id RETURNING part.id
""")
# Recordings that wait for nothing but to be told of: whoever died between their last part and this.
WAITING: Final = sa.text("""
    SELECT recording.id FROM nchat_call_recordings AS recording
    WHERE recording.status = 'processing' AND NOT EXISTS (
        SELECT FROM nchat_call_recording_parts AS part
        WHERE part.recording_id = recording.id AND part.status IN ('starting', 'recording', 'processing')
    )
    LIMIT :look
""")


async def finish(world: World) -> int:
    """Gathers what is due and settles what waits; returns how many parts were looked at."""
    store = world.store
    if store is None:
        return 0
    now = world.clock.now()
    async with world.transaction("recording.take_finished") as tx:
        ids = (await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "look": LOOK})).scalars().all()
        found = PARTS.where(call_recording_parts.c.id.in_(ids))
        due = [RecordingPart.of(row) for row in await tx.connection.execute(found)] if ids else []
    parts = {part.id: part for part in due}
    await each("part", parts, lambda part_id: _finish_part(world, store, parts[part_id]))
    await _finish_waiting(world)
    return len(due)


async def _finish_part(world: World, store: ObjectStore, part: RecordingPart) -> None:
    try:
        gathered = await gather(store, part)
    except StorageError as error:
        log.warning("part_not_finished", part_id=str(part.id), error=str(error))
        await _put_off(world, part, REFUSED if isinstance(error, StorageRefused) else NO_STORE)
        return
    async with world.transaction("recording.part_finished") as tx, short_waits(tx):
        if await hold(tx, part.recording_id) is not None:
            await _note(tx, world, part, gathered)
    await finish_recording(world, part.recording_id)


async def _note(tx: Transaction, world: World, seen: RecordingPart, gathered: Gathered) -> None:
    part, now = await part_by_id(tx, seen.id), world.clock.now()
    if part is None or part.status != "processing":
        return
    if gathered.empty:
        await move_part(tx, part.id, "processing", "failed", now=now, error_message=part.error_message or NOTHING)
        return
    if gathered.missing:
        log.warning("segments_missing", part_id=str(part.id), missing=gathered.missing)
    values = {
        **_times(part, gathered),
        "duration": gathered.seconds or None,
        "segments": len(gathered.segments),
        "file_path": gathered.file.key if gathered.file else None,
        "file_size": gathered.file.size if gathered.file else None,
    }
    await move_part(tx, part.id, "processing", "ready", now=now, **values)
    if gathered.picture is not None:
        # The first part's stays.
        shown = sa.update(call_recordings).where(call_recordings.c.id == part.recording_id, call_recordings.c.thumbnail_path.is_(None))
        await tx.connection.execute(shown.values(thumbnail_path=gathered.picture))


def _times(part: RecordingPart, gathered: Gathered) -> dict[str, datetime | None]:
    """When its media began and ended: by our clock, if it was seen while it was recorded."""
    began_at, ended_at = gathered.began_at, gathered.ended_at
    if part.media_started_at is None or began_at is None or ended_at is None:
        return {"media_started_at": began_at or part.media_started_at, "ended_at": ended_at or part.ended_at}
    return {"media_started_at": part.media_started_at, "ended_at": ended_at + (part.media_started_at - began_at)}


async def _put_off(world: World, part: RecordingPart, sentence: str) -> None:
    """The store says nothing, or refuses to: what was uploaded lies there all the same, so it is asked again for as long as that takes.
    Meanwhile the recording says what it waits for."""
    now = world.clock.now()
    pause = min(max(now - part.status_since, timedelta(seconds=1)), LONGEST_PAUSE)
    waits = sa.update(call_recordings).where(call_recordings.c.id == part.recording_id, call_recordings.c.status == "processing")
    async with world.transaction("recording.put_off") as tx, short_waits(tx):
        await tx.connection.execute(waits.values(error_message=sentence))
        await set_part(tx, part.id, next_look_at=now + pause)
        changed(tx, None)


async def _finish_waiting(world: World) -> None:
    async with world.transaction("recording.waiting") as tx:
        waiting: Sequence[UUID] = (await tx.connection.execute(WAITING, {"look": LOOK})).scalars().all()
    await each("recording", waiting, partial(finish_recording, world))


async def finish_recording(world: World, recording_id: UUID) -> None:
    """A recording that is over, and all of whose parts are final: ready when one of them has media, else failed."""
    async with world.transaction("recording.finished") as tx, short_waits(tx):
        held = await hold(tx, recording_id)
        if held is None or held.recording.status != "processing":
            return
        parts = await parts_of(tx, recording_id)
        if all(part.final for part in parts):
            await _finish(tx, world, held, parts)


async def _finish(tx: Transaction, world: World, held: Held, parts: Sequence[RecordingPart]) -> None:
    recording, now = held.recording, world.clock.now()
    ready = [part for part in parts if part.status == "ready"]
    ended_at = max((part.ended_at for part in ready if part.ended_at), default=recording.ended_at) or now
    expires_at = recording.expires_at or await _expiry(tx, world, recording, ended_at)
    if not ready:
        sentence = next((part.error_message for part in parts if part.error_message), NOTHING)
        await move_recording(tx, recording, "failed", now=now, error_message=sentence, expires_at=expires_at)
        await _tell(tx, recording, "recording_failed", now=now, reason=sentence)
        return
    media = _media(recording, parts, ready)
    await move_recording(tx, recording, "ready", now=now, ended_at=ended_at, expires_at=expires_at, next_work_at=now, **media)
    await _tell(tx, recording, "recording_ready", now=now)


async def _expiry(tx: Transaction, world: World, recording: Recording, ended_at: datetime) -> datetime | None:
    """What is not kept for its own sake goes some time after the stream."""
    if not recording.keep:
        return ended_at + timedelta(hours=world.stream_limits.keep_hours)
    return await expiry(tx, recording, ended_at, world.limits.default_policy)


async def _tell(tx: Transaction, recording: Recording, kind: events.EventKind, *, now: datetime, **more: str) -> None:
    """Its call, where it has one, and the deployment's backend."""
    if recording.call_id is not None:
        await events.append(tx, recording.call_id, kind, None, {"recordingId": str(recording.id), **more})
    if recording.keep:
        await event_outbox.recording_finished(tx, recording.id, now=now)


def _media(recording: Recording, parts: Sequence[RecordingPart], ready: Sequence[RecordingPart]) -> dict[str, object]:
    composites = [part for part in ready if part.kind == "composite"]
    alone = composites[0] if len(composites) == 1 and len(ready) == 1 else None
    return {
        # What it may have waited for.
        "error_message": None,
        "media_started_at": min((part.media_started_at for part in ready if part.media_started_at), default=None),
        "duration": round(max(_lanes(ready).values())),
        "gaps": gaps(parts),
        "file_path": alone.file_path if alone else None,
        "file_size": alone.file_size if alone else None,
        **_file_to_come(recording, alone),
    }


def _lanes(ready: Sequence[RecordingPart]) -> Mapping[tuple[UUID | None, str | None], float]:
    """Seconds of media of all together, or of each person's kind of track: what follows one another is one lane."""
    lanes: dict[tuple[UUID | None, str | None], float] = {}
    for part in ready:
        lane = part.user_id, part.track_kind
        lanes[lane] = lanes.get(lane, 0.0) + (part.duration or 0.0)
    return lanes


def _file_to_come(recording: Recording, alone: RecordingPart | None) -> dict[str, object]:
    """What `joining` is to make: one file of several parts, and of sound alone its own kind."""
    kind: RecordingType = recording.type
    if not recording.keep:
        return {"file_reason": NOT_KEPT}
    if kind == "individual_tracks":
        return {"file_reason": EACH_ITS_OWN}
    if kind == "composite" and alone is not None and alone.file_path is not None:
        return {}
    return {"join_progress": 0, "work_attempts": 0}
