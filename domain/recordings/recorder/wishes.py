"""What is wanted of LiveKit and not asked for yet, taken by one process."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.recording_ports import CompositeWanted, EgressWanted, TrackWanted
from domain.recordings.starting import RESOLUTIONS
from domain.world import Transaction

# Segments are as long as in the recording's first part, whatever the settings say by now: its playlist promised that.
TAKE_STARTS: Final = sa.text("""
    WITH due AS (
        SELECT part.id FROM nchat_call_recording_parts AS part
        WHERE part.status = 'starting' AND part.asked_at IS NULL AND part.stop_asked_at IS NULL
            AND part.next_look_at <= :now
        ORDER BY part.created_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recording_parts AS part SET asked_at = :now, next_look_at = :now, segment_seconds = coalesce((
        SELECT first.segment_seconds FROM nchat_call_recording_parts AS first
        WHERE first.recording_id = part.recording_id AND first.asked_at IS NOT NULL ORDER BY first.index LIMIT 1
    ), :segment_seconds)
    FROM due, nchat_call_recordings AS recording
        LEFT JOIN nchat_calls AS call ON call.id = recording.call_id LEFT JOIN nchat_streams AS stream ON stream.id = recording.stream_id
    WHERE part.id = due.id AND recording.id = part.recording_id
    RETURNING part.id, part.path_prefix, part.segment_seconds, part.kind, part.track_sid, part.track_kind,
        coalesce(call.room_name, stream.room_name) AS room_name, recording.type, recording.layout, recording.custom_layout,
        recording.resolution, recording.storage_bucket, recording.stream_id, recording.keep
""")
# Also those that were given up: a recorder that was thought dead and is not must end too.
TAKE_STOPS: Final = sa.text("""
    WITH due AS (
        SELECT part.id FROM nchat_call_recording_parts AS part
        WHERE part.status IN ('starting', 'recording', 'processing') AND part.egress_id IS NOT NULL AND (
            (part.status <> 'processing' AND part.stop_asked_at IS NOT NULL
                AND (part.stop_told_at IS NULL OR part.stop_told_at < :told_before))
            OR (part.status = 'processing' AND part.end_reason = 'lost' AND part.stop_told_at IS NULL)
        )
        ORDER BY part.stop_asked_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recording_parts AS part SET stop_told_at = :now FROM due WHERE part.id = due.id
    RETURNING part.id, part.egress_id
""")
# Our layouts by LiveKit's names.
LAYOUTS: Final = {"grid": "grid-dark", "speaker": "speaker-dark", "single": "single-speaker"}


async def take_starts(tx: Transaction, now: datetime, *, most: int, segment_seconds: int) -> Sequence[tuple[UUID, EgressWanted]]:
    """Parts that LiveKit is to be asked for now; they count as asked with the commit. A new recording has segments of so many seconds."""
    found = await tx.connection.execute(TAKE_STARTS, {"now": now, "most": most, "segment_seconds": segment_seconds})
    return [(row.id, _wanted(row)) for row in found]


async def take_stops(tx: Transaction, now: datetime, *, told_before: datetime, most: int) -> Sequence[tuple[UUID, str]]:
    """Parts and their egresses that LiveKit is to be asked to end now."""
    found = await tx.connection.execute(TAKE_STOPS, {"now": now, "told_before": told_before, "most": most})
    return [(row.id, row.egress_id) for row in found]


def _wanted(row: Row[Any]) -> EgressWanted:
    content = TrackWanted(row.track_sid, row.track_kind) if row.kind == "track" else _composite(row)
    return EgressWanted(
        room=row.room_name,
        path_prefix=row.path_prefix,
        content=content,
        bucket=row.storage_bucket,
        sends_on=row.kind == "composite" and row.stream_id is not None,
        file=row.kind == "track" or row.keep,
        segment_seconds=row.segment_seconds,
    )


def _composite(row: Row[Any]) -> CompositeWanted:
    size = None if row.type == "audio_only" else RESOLUTIONS[row.resolution]
    layout = "" if size is None else LAYOUTS.get(row.layout, "grid-dark")
    return CompositeWanted(layout, size, row.custom_layout)
