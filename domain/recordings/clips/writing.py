"""A clip is written down: its recording and its parts, before anything is copied."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.recordings.clips.plans import ClipPlan
from domain.recordings.life_cycle import changed
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts

# It lies where its source does; what is being removed has no clips any more.
WRITE: Final = sa.text("""
    INSERT INTO nchat_call_recordings (
        id, call_id, stream_id, started_by, title, status, status_since, type, layout, resolution, storage_bucket, source_recording_id,
        clip_from, clip_to, clip_progress, legal_hold, tier, started_at, next_work_at, metadata
    )
    SELECT :id, source.call_id, source.stream_id, :made_by, coalesce(:title, source.title), 'processing', :now, source.type,
        source.layout, source.resolution, source.storage_bucket, source.id, :begins, :ends, 0, source.legal_hold, :tier, :now, :now, :plan
    FROM nchat_call_recordings AS source
    WHERE source.id = :source AND source.status <> 'deleted' AND source.delete_asked_at IS NULL
    RETURNING call_id,
        (SELECT coalesce(max(segment_seconds), 4) FROM nchat_call_recording_parts WHERE recording_id = :source) AS segment_seconds
""").bindparams(
    sa.bindparam("title", type_=sa.Text),
    sa.bindparam("tier", type_=sa.Text),
    sa.bindparam("plan", type_=pg.JSONB),
    sa.bindparam("now", type_=sa.TIMESTAMP(timezone=True)),
)


@dataclass(frozen=True, slots=True)
class NewClip:
    """Who cuts what; seconds of the source's playlist. Without a title it has the source's."""

    id: UUID
    source: UUID
    made_by: UUID
    begins: float
    ends: float
    title: str | None
    tier: str | None


async def write_clip(tx: Transaction, clip: NewClip, plan: ClipPlan, now: datetime) -> bool:
    """Writes it; False, with nothing written, when the source is gone."""
    given = {name: getattr(clip, name) for name in NewClip.__slots__}
    written = (await tx.connection.execute(WRITE, given | {"now": now, "plan": plan.note()})).first()
    if written is None:
        return False
    common = {"recording_id": clip.id, "status": "processing", "status_since": now, "segment_seconds": written.segment_seconds}
    rows = [common | {"id": part.id, "index": index, "path_prefix": part.target} for index, part in enumerate(plan.parts)]
    await tx.connection.execute(sa.insert(call_recording_parts), rows)
    changed(tx, written.call_id)
    return True
