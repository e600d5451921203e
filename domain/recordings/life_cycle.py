"""The life of a recording and of its parts: the allowed steps as data, and the guarded updates that walk them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.recordings.rows import PartStatus, Recording, RecordingStatus
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings

TOPIC: Final = f"table:{call_recordings.name}"
PARTS_TOPIC: Final = f"table:{call_recording_parts.name}"

RECORDING_STEPS: Final[Mapping[RecordingStatus, frozenset[RecordingStatus]]] = {
    "starting": frozenset({"recording", "processing", "failed"}),
    "recording": frozenset({"paused", "processing"}),
    "paused": frozenset({"recording", "processing"}),
    "processing": frozenset({"ready", "failed"}),
    # Failed afterwards: somebody took its objects out of the store, which the sweep finds.
    "ready": frozenset({"deleted", "failed"}),
    "failed": frozenset({"deleted"}),
    "deleted": frozenset(),
}
PART_STEPS: Final[Mapping[PartStatus, frozenset[PartStatus]]] = {
    "starting": frozenset({"recording", "processing", "failed"}),
    "recording": frozenset({"processing", "failed"}),
    "processing": frozenset({"ready", "failed"}),
    # Failed afterwards: somebody took its objects out of the store, which the sweep finds.
    "ready": frozenset({"deleted", "failed"}),
    "failed": frozenset({"deleted"}),
    "deleted": frozenset(),
}


async def move_recording(tx: Transaction, recording: Recording, to: RecordingStatus, *, now: datetime, **values: object) -> bool:
    """Takes the step if the recording still stands where it was read; False, with nothing written, when another was faster.

    ValueError for a step that the life cycle lacks. `values` are further columns of the same update. The event is the caller's to write.
    """
    if to not in RECORDING_STEPS[recording.status]:
        raise ValueError(f"no such step of a recording: {recording.status} to {to}")
    mine = sa.update(call_recordings).where(call_recordings.c.id == recording.id, call_recordings.c.status == recording.status)
    moved = await tx.connection.execute(mine.values(status=to, status_since=now, **values).returning(call_recordings.c.id))
    if moved.first() is None:
        return False
    changed(tx, recording.call_id)
    return True


async def move_part(tx: Transaction, part_id: UUID, before: PartStatus, to: PartStatus, *, now: datetime, **values: object) -> bool:
    """The same of a part."""
    if to not in PART_STEPS[before]:
        raise ValueError(f"no such step of a part: {before} to {to}")
    mine = sa.update(call_recording_parts).where(call_recording_parts.c.id == part_id, call_recording_parts.c.status == before)
    moved = await tx.connection.execute(mine.values(status=to, status_since=now, **values).returning(call_recording_parts.c.id))
    if moved.first() is None:
        return False
    tx.hint(PARTS_TOPIC)
    return True


def changed(tx: Transaction, call_id: UUID | None) -> None:
    """Tells those who watch recordings, or the call that is recorded, that something is new."""
    tx.hint(TOPIC)
    tx.hint(PARTS_TOPIC)
    if call_id is not None:
        events.changed(tx, call_id)
