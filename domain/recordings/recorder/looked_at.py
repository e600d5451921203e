"""Which parts are looked at next: each by one process, every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.recordings.rows import PARTS, RecordingPart
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts

EVERY: Final = timedelta(seconds=4)
LOOK: Final = 500
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT part.id FROM nchat_call_recording_parts AS part
        WHERE part.status IN ('starting', 'recording', 'processing') AND part.closed_at IS NULL AND part.asked_at IS NOT NULL
            AND part.next_look_at <= :now
        ORDER BY part.next_look_at LIMIT :look FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recording_parts AS part SET next_look_at = :next FROM due WHERE part.id = due.id RETURNING part.id
""")
ROOMS: Final = sa.text("""
    SELECT recording.id, coalesce(call.room_name, stream.room_name) AS room_name FROM nchat_call_recordings AS recording
    LEFT JOIN nchat_calls AS call ON call.id = recording.call_id LEFT JOIN nchat_streams AS stream ON stream.id = recording.stream_id
    WHERE recording.id = ANY(:ids)
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))


@dataclass(frozen=True, slots=True)
class Looked:
    """A part and the room that it is recorded in."""

    part: RecordingPart
    room: str


async def take_looks(tx: Transaction, now: datetime) -> Sequence[Looked]:
    """Those that are due; the next look at them is due in 4 s, whoever takes it."""
    ids = (await tx.connection.execute(TAKE, {"now": now, "next": now + EVERY, "look": LOOK})).scalars().all()
    if not ids:
        return []
    mine = PARTS.where(call_recording_parts.c.id == sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID()))))
    found = [RecordingPart.of(row) for row in await tx.connection.execute(mine)]
    rooms = {row.id: row.room_name for row in await tx.connection.execute(ROOMS, {"ids": [part.recording_id for part in found]})}
    return [Looked(part, rooms[part.recording_id]) for part in found if part.recording_id in rooms]
