"""Parts begun and ended: rows that say what is wanted of LiveKit, which `driving` asks it for."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from domain.ports import TrackSource
from domain.recordings.life_cycle import PARTS_TOPIC, move_part
from domain.recordings.names import new_prefix
from domain.recordings.rows import EndReason, Recording, RecordingPart, parts_of
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings

AT_ONCE: Final = timedelta()
NEVER_BEGAN: Final = "It was stopped before it began."


async def begin_composite(tx: Transaction, recording: Recording, *, now: datetime, wait: timedelta = AT_ONCE) -> None:
    """The next part of a recording that is one picture, or one sound, of all; LiveKit is asked for it after this time."""
    await _insert(tx, recording, [{"kind": "composite"}], now, wait)


async def begin_tracks(tx: Transaction, recording: Recording, tracks: Sequence[tuple[UUID, TrackSource, str]], *, now: datetime) -> None:
    """A part for each track: whose, its source, and LiveKit's id of it."""
    await _insert(
        tx, recording, [{"kind": "track", "user_id": user, "track_kind": source, "track_sid": sid} for user, source, sid in tracks], now
    )


async def end_parts(tx: Transaction, parts: Collection[RecordingPart], reason: EndReason, *, now: datetime) -> None:
    """Those that are written, or are about to be, shall end: one that LiveKit was not asked for yet is over at once."""
    for part in parts:
        if part.status == "starting" and part.asked_at is None:
            values = {"closed_at": now, "ended_at": now, "end_reason": reason, "error_message": NEVER_BEGAN}
            await move_part(tx, part.id, "starting", "failed", now=now, **values)
        elif part.written and part.stop_asked_at is None:
            await set_part(tx, part.id, stop_asked_at=now, end_reason=reason)


async def set_part(tx: Transaction, part_id: UUID, **values: object) -> None:
    """Columns that are no step of its life."""
    await tx.connection.execute(sa.update(call_recording_parts).where(call_recording_parts.c.id == part_id).values(**values))
    tx.hint(PARTS_TOPIC)


async def name_bucket(tx: Transaction, recording_id: UUID, bucket: str) -> None:
    """The first part says where a locked recording lies: all that follows goes there, whatever the settings say by then."""
    mine = sa.update(call_recordings).where(call_recordings.c.id == recording_id, call_recordings.c.storage_bucket.is_(None))
    await tx.connection.execute(mine.values(storage_bucket=bucket))


async def _insert(
    tx: Transaction, recording: Recording, wanted: Sequence[dict[str, object]], now: datetime, wait: timedelta = AT_ONCE
) -> None:
    if not wanted:
        return
    following = len(await parts_of(tx, recording.id))
    rows = []
    for place, one in enumerate(wanted):
        part_id = uuid4()
        prefix = new_prefix(recording.id, part_id)
        common = {"id": part_id, "recording_id": recording.id, "index": following + place, "path_prefix": prefix}
        rows.append(common | {"created_at": now, "status_since": now, "next_look_at": now + wait} | one)
    await tx.connection.execute(sa.insert(call_recording_parts), rows)
    tx.hint(PARTS_TOPIC)
