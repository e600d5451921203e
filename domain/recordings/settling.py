"""What a recording is follows from its parts: decided anew, under its lock, whenever something is heard of one of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain import event_outbox
from domain.calls import events
from domain.recordings import parts
from domain.recordings.held import Held
from domain.recordings.life_cycle import changed, move_recording
from domain.recordings.rows import Recording, RecordingPart, lock_recording, parts_of
from domain.world import Transaction
from schema.tables.call_recordings import call_recordings

StopReason = Literal["stopped", "call_ended", "no_host", "pause_too_long", "too_long", "lost"]
# As many parts are lost in so long a time; then it is over.
MOST_PARTS: Final = 5
# Before the next, by how many there were: the first is followed at once, but a store or a recorder that fails each of them gets some time.
WAITS: Final = (*[timedelta()] * 2, timedelta(seconds=4), timedelta(seconds=8), timedelta(seconds=16))
WITHIN: Final = timedelta(minutes=10)
# From the beginning of a part to that of the next, by how many ended lately because fewer may watch: nobody is kept from being watched by
# fewer at once, and a host may think twice about it, but whoever goes to and fro gets no recorder for each time.
NARROWED_RESTS: Final = (*[timedelta()] * 3, *(timedelta(seconds=seconds) for seconds in (10, 20, 40, 60)))
# From the wish to the first frame.
BEGINS_WITHIN: Final = timedelta(seconds=120)
NOTHING: Final = "Nothing was recorded."
NO_RESUME: Final = "The recorder did not begin again."


async def settle(tx: Transaction, held: Held, *, now: datetime, refused: bool = False) -> None:
    """Moves a recording in hand to what its parts say, and begins the next part where one was lost.

    `refused`: LiveKit has just said that no recorder takes the last part.
    """
    recording = held.recording
    if not recording.active or recording.consent_asked_at is not None:
        return
    all_parts = await parts_of(tx, recording.id)
    written = [part for part in all_parts if part.written]
    if any(part.status == "recording" and part.stop_asked_at is None for part in written):
        await _runs(tx, recording, now=now)
    elif recording.status == "paused":
        await _resume_failed(tx, recording, all_parts, now=now)
    elif not written and all_parts:
        await _nothing_runs(tx, held, all_parts, now=now, refused=refused)


async def stop(tx: Transaction, recording: Recording, reason: StopReason, *, actor_id: UUID | None = None, now: datetime) -> None:
    """The end of a recording that runs or pauses: its parts end, and what they have is gathered."""
    await parts.end_parts(tx, await parts_of(tx, recording.id), "stopped", now=now)
    moved = await move_recording(tx, recording, "processing", now=now, ended_at=now, pause_asked_at=None)
    if moved and recording.call_id is not None:
        told = {"recordingId": str(recording.id), "reason": reason}
        await events.append(tx, recording.call_id, "recording_stopped", actor_id, told)


async def _runs(tx: Transaction, recording: Recording, *, now: datetime) -> None:
    """Media flows. One that was to pause by now goes on to that."""
    if recording.status == "starting":
        await move_recording(tx, recording, "recording", now=now)
    elif recording.status == "paused":
        await _resumed(tx, recording, now=now)


async def _resumed(tx: Transaction, recording: Recording, *, now: datetime) -> None:
    if await move_recording(tx, recording, "recording", now=now, pause_asked_at=None) and recording.call_id is not None:
        await events.append(tx, recording.call_id, "recording_resumed", None, {"recordingId": str(recording.id)})


async def _resume_failed(tx: Transaction, recording: Recording, all_parts: Sequence[RecordingPart], *, now: datetime) -> None:
    """A resume all of whose parts came to nothing: told, and it stays paused."""
    resumed = [part for part in all_parts if part.created_at >= recording.status_since]
    if recording.pause_asked_at is not None or not resumed or any(part.written for part in resumed):
        return
    await tx.connection.execute(sa.update(call_recordings).where(call_recordings.c.id == recording.id).values(pause_asked_at=now))
    changed(tx, recording.call_id)
    if recording.call_id is not None:
        told = {"recordingId": str(recording.id), "reason": NO_RESUME}
        await events.append(tx, recording.call_id, "recording_failed", None, told)


async def _nothing_runs(tx: Transaction, held: Held, all_parts: Sequence[RecordingPart], *, now: datetime, refused: bool) -> None:
    recording = held.recording
    if recording.pause_asked_at is not None:
        await _paused(tx, recording, now=now)
    elif held.source.over:
        await stop(tx, recording, "call_ended", now=now)
    elif refused and not any(part.egress_id for part in all_parts):
        await never_began(tx, recording, all_parts[-1].error_message or NOTHING, now=now)
    elif recording.type == "individual_tracks":
        # A track is over when it is unpublished; whoever publishes the next begins a part (`tracks`).
        return
    elif _never_began_to_run(recording, now) or (lately := _lost_lately(all_parts)) >= MOST_PARTS:
        await stop(tx, recording, "lost", now=now)
    else:
        await parts.begin_composite(tx, recording, now=now, wait=max(WAITS[lately], _rest(all_parts, now)))


async def never_began(tx: Transaction, recording: Recording, sentence: str, *, now: datetime) -> None:
    """No recorder took it: there is nothing to gather. Who was promised a recording hears of it, by event and by card."""
    failed = await move_recording(tx, recording, "failed", now=now, ended_at=now, error_message=sentence)
    if failed and recording.call_id is not None:
        told = {"recordingId": str(recording.id), "reason": sentence}
        await events.append(tx, recording.call_id, "recording_failed", None, told)
        await event_outbox.recording_finished(tx, recording.id, now=now)


def _never_began_to_run(recording: Recording, now: datetime) -> bool:
    return recording.status == "starting" and now - recording.status_since >= BEGINS_WITHIN


def _lost_lately(all_parts: Sequence[RecordingPart]) -> int:
    """Whoever pauses often has lost nothing."""
    since = all_parts[-1].status_since - WITHIN
    return sum(part.was_lost and part.created_at > since for part in all_parts)


def _rest(all_parts: Sequence[RecordingPart], now: datetime) -> timedelta:
    """What is left of the time between the beginnings of parts."""
    last = all_parts[-1]
    narrowed = sum(part.end_reason == "narrowed" and (part.stop_asked_at or now) > now - WITHIN for part in all_parts)
    return (last.asked_at or last.created_at) + NARROWED_RESTS[min(narrowed, len(NARROWED_RESTS) - 1)] - now


async def _paused(tx: Transaction, recording: Recording, *, now: datetime) -> None:
    """The recorder has left the room: nothing of what follows is recorded."""
    current = await lock_recording(tx, recording.id)
    if current is None or current.status != "recording":
        return
    if await move_recording(tx, current, "paused", now=now) and recording.call_id is not None:
        await events.append(tx, recording.call_id, "recording_paused", None, {"recordingId": str(recording.id)})
