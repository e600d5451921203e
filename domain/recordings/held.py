"""A recording in hand: its call or stream locked, then the recording, and the part that something is heard of."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.rows import PARTS, Recording, RecordingPart, lock_recording
from domain.recordings.sources import Source, lock_source
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings


@dataclass(frozen=True, slots=True)
class Held:
    source: Source
    recording: Recording


async def hold(tx: Transaction, recording_id: UUID) -> Held | None:
    """The recording with its call or stream, both locked until the commit; None when there is none."""
    recorded = sa.select(call_recordings.c.call_id, call_recordings.c.stream_id).where(call_recordings.c.id == recording_id)
    row = (await tx.connection.execute(recorded)).first()
    source = None if row is None else await lock_source(tx, row.call_id, row.stream_id)
    recording = None if source is None else await lock_recording(tx, recording_id)
    return None if source is None or recording is None else Held(source, recording)


async def part_by_id(tx: Transaction, part_id: UUID) -> RecordingPart | None:
    row = (await tx.connection.execute(PARTS.where(call_recording_parts.c.id == part_id))).first()
    return None if row is None else RecordingPart.of(row)


async def part_of_egress(tx: Transaction, egress_id: str) -> RecordingPart | None:
    row = (await tx.connection.execute(PARTS.where(call_recording_parts.c.egress_id == egress_id))).first()
    return None if row is None else RecordingPart.of(row)
