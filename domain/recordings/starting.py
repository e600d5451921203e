"""A recording begins: its row, its first part, and everybody in the call told. Under the call's lock, for whoever presses the button."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from domain.call_settings.consent import note_consent
from domain.calls import events
from domain.calls.life_cycle import CallStatus
from domain.calls.rows import Call, roster
from domain.errors import AlreadyRecording, CallNotStarted, E2eeCall
from domain.recordings import parts
from domain.recordings.life_cycle import changed
from domain.recordings.rows import Recording, RecordingLayout, RecordingType, lock_active, lock_recording
from domain.world import Transaction
from schema.tables.call_recordings import call_recordings

RESOLUTIONS: Final[Mapping[str, tuple[int, int]]] = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}

# The call's statuses in which there may be somebody to record.
RECORDABLE: Final[tuple[CallStatus, ...]] = ("connecting", "connected", "reconnecting")
# So long people have to agree.
CONSENT_WITHIN: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Manner:
    """How it is recorded. `template` is the name of a custom layout's page in the server's list."""

    type: RecordingType = "composite"
    layout: RecordingLayout = "grid"
    resolution: str = "1080p"
    template: str | None = None


async def begin(
    tx: Transaction, call: Call, started_by: UUID, manner: Manner, *, now: datetime, actor_id: UUID | None, tier: str | None = None
) -> Recording:
    """Writes the recording of a locked call and its first part, or asks everybody first. `actor_id` is None where nobody pressed the
    button.

    Refuses with E2eeCall, CallNotStarted (nobody is connected yet; by itself it begins with the first to come) and AlreadyRecording.
    """
    if call.e2ee:
        raise E2eeCall
    if call.status not in RECORDABLE or (call.status == "connecting" and actor_id is not None):
        raise CallNotStarted("Nobody is connected yet.")
    if await lock_active(tx, call.id) is not None:
        raise AlreadyRecording
    recording = await _write(tx, call, started_by, manner, now=now, tier=tier)
    if call.recording_consent == "ask":
        await ask(tx, call, recording, actor_id=actor_id, now=now)
    else:
        await begin_first(tx, recording, actor_id=actor_id, now=now)
    return recording


async def ask(tx: Transaction, call: Call, recording: Recording, *, actor_id: UUID | None, now: datetime) -> None:
    """A recording of a locked call, or of what shows it, waits until everybody in the call has agreed (`manners/consent.py`).

    Who presses the button agrees by that. Where all have, nobody is asked; it begins after a look at who is in the room.
    """
    await tx.connection.execute(sa.update(call_recordings).where(call_recordings.c.id == recording.id).values(consent_asked_at=now))
    people = await roster(tx, call.id)
    starter = None if actor_id is None else people.of_user(actor_id)
    if starter is not None:
        await note_consent(tx, starter.id, now=now)
    if any(one.status == "connected" and one.consented_at is None and one != starter for one in people.participants):
        until = (now + CONSENT_WITHIN).isoformat()
        await events.append(tx, call.id, "recording_consent_asked", actor_id, {"recordingId": str(recording.id), "until": until})
    changed(tx, call.id)


async def begin_first(tx: Transaction, recording: Recording, *, actor_id: UUID | None, now: datetime) -> None:
    """The call is told (`recording_started`), and the first part is wanted."""
    if recording.call_id is not None:
        await events.append(tx, recording.call_id, "recording_started", actor_id, {"recordingId": str(recording.id)})
    await begin_media(tx, recording, now=now)


async def begin_media(tx: Transaction, recording: Recording, *, now: datetime) -> None:
    """The next part is wanted. Individual tracks get theirs by `tracks`, as people publish them."""
    if recording.type == "individual_tracks":
        await tx.connection.execute(sa.update(call_recordings).where(call_recordings.c.id == recording.id).values(next_work_at=now))
    else:
        await parts.begin_composite(tx, recording, now=now)
    changed(tx, recording.call_id)


async def _write(tx: Transaction, call: Call, started_by: UUID, manner: Manner, *, now: datetime, tier: str | None) -> Recording:
    row = {
        "id": uuid4(),
        "call_id": call.id,
        "started_by": started_by,
        "status_since": now,
        "type": manner.type,
        "layout": None if manner.type != "composite" else manner.layout,
        "custom_layout": manner.template,
        "resolution": manner.resolution if manner.type != "audio_only" else None,
        "started_at": now,
        "tier": tier,
    }
    await tx.connection.execute(sa.insert(call_recordings).values(row))
    written = await lock_recording(tx, row["id"])  # type: ignore[arg-type]
    if written is None:
        raise LookupError("the recording that was just written is not there")
    return written
