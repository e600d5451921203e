"""How far parts have come, written down for many at once: no step of anybody's life, so no lock is needed."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from domain.recordings.life_cycle import PARTS_TOPIC, TOPIC
from domain.recordings.recorder.growth import on_our_clock
from domain.recordings.recorder.sights import PartSight
from domain.recordings.rows import RecordingPart
from domain.world import Transaction

# A recording began with the first frame of its first part.
NOTE: Final = sa.text("""
    WITH noted AS (
    UPDATE nchat_call_recording_parts AS part SET
        segments = greatest(part.segments, seen.segments),
        segment_at = CASE WHEN seen.segments IS NULL OR seen.segments > part.segments THEN seen.at ELSE part.segment_at END,
        media_started_at = coalesce(part.media_started_at, seen.began_at),
        absent_since = CASE WHEN seen.present THEN NULL ELSE coalesce(part.absent_since, seen.at) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:segments AS int[]), CAST(:began AS timestamptz[]), CAST(:present AS bool[]),
        CAST(:at AS timestamptz[])) AS seen (id, segments, began_at, present, at)
    WHERE part.id = seen.id AND part.status = 'recording'
    RETURNING part.recording_id, part.media_started_at
    )
    UPDATE nchat_call_recordings AS recording SET media_started_at = noted.media_started_at
    FROM noted WHERE recording.id = noted.recording_id AND recording.media_started_at IS NULL AND noted.media_started_at IS NOT NULL
""")


async def note_growth(tx: Transaction, seen: Sequence[tuple[RecordingPart, PartSight]]) -> None:
    """Writes down how far the parts have come. Where storage did not answer, the time without a segment begins anew."""
    if not seen:
        return
    growths = [sight.growth for _, sight in seen]
    rows = {
        "ids": [part.id for part, _ in seen],
        "segments": [None if grown is None else grown.segments for grown in growths],
        "began": [None if sight.growth is None else on_our_clock(sight.growth, part.asked_at, sight.at) for part, sight in seen],
        "present": [sight.present for _, sight in seen],
        "at": [sight.at for _, sight in seen],
    }
    await tx.connection.execute(NOTE, rows)
    tx.hint(PARTS_TOPIC)
    tx.hint(TOPIC)
