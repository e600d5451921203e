"""A recording in hand: its call locked, then the recording, and the part that something is heard of."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from domain.calls.rows import Call, lock_call
from domain.recordings.rows import PARTS, Recording, RecordingPart, lock_recording
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings


@dataclass(frozen=True, slots=True)
class Held:
    call: Call
    recording: Recording


async def hold(tx: Transaction, recording_id: UUID) -> Held | None:
    """The recording of a call with its call, both locked until the commit; None when there is none."""
    found = await tx.connection.execute(sa.select(call_recordings.c.call_id).where(call_recordings.c.id == recording_id))
    call_id = found.scalar_one_or_none()
    call = None if call_id is None else await lock_call(tx, call_id)
    recording = None if call is None else await lock_recording(tx, recording_id)
    return None if call is None or recording is None else Held(call, recording)


async def part_by_id(tx: Transaction, part_id: UUID) -> RecordingPart | None:
    row = (await tx.connection.execute(PARTS.where(call_recording_parts.c.id == part_id))).first()
    return None if row is None else RecordingPart.of(row)


async def part_of_egress(tx: Transaction, egress_id: str) -> RecordingPart | None:
    row = (await tx.connection.execute(PARTS.where(call_recording_parts.c.egress_id == egress_id))).first()
    return None if row is None else RecordingPart.of(row)
