"""A recording and its parts as values, read under the lock of its call or stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.recordings.part_keys import PartKeys
from domain.world import Transaction
from schema.tables.call_recording_parts import call_recording_parts
from schema.tables.call_recordings import call_recordings

RecordingStatus = Literal["starting", "recording", "paused", "processing", "ready", "failed", "deleted"]
RecordingType = Literal["composite", "individual_tracks", "audio_only"]
RecordingLayout = Literal["grid", "speaker", "single", "custom"]
PartStatus = Literal["starting", "recording", "processing", "ready", "failed", "deleted"]
# Why a part ended: by a keeper or the call's end, by a pause, against our will, or because fewer may watch from now on.
EndReason = Literal["stopped", "paused", "lost", "storage", "limit", "narrowed"]
# One recording of a call is in one of these at a time.
ACTIVE: Final[tuple[RecordingStatus, ...]] = ("starting", "recording", "paused")
# Of these parts LiveKit writes something, or is about to.
WRITTEN: Final[tuple[PartStatus, ...]] = ("starting", "recording")


@dataclass(frozen=True, slots=True)
class Recording:
    id: UUID
    call_id: UUID | None
    stream_id: UUID | None
    started_by: UUID | None
    status: RecordingStatus
    status_since: datetime
    type: RecordingType
    layout: RecordingLayout | None
    custom_layout: str | None
    resolution: str | None
    started_at: datetime | None
    media_started_at: datetime | None
    ended_at: datetime | None
    expires_at: datetime | None
    legal_hold: bool
    keep: bool
    clip_from: float | None
    tier: str | None
    consent_asked_at: datetime | None
    pause_asked_at: datetime | None
    delete_asked_at: datetime | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Recording":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def active(self) -> bool:
        return self.status in ACTIVE


# Parts as rows of `RecordingPart`, to be narrowed down. A recording lies in one bucket, whose name its row has.
PARTS: Final = sa.select(call_recording_parts, call_recordings.c.storage_bucket).join_from(
    call_recording_parts, call_recordings, call_recordings.c.id == call_recording_parts.c.recording_id
)


@dataclass(frozen=True, slots=True)
class RecordingPart:
    id: UUID
    recording_id: UUID
    index: int
    kind: Literal["composite", "track"]
    user_id: UUID | None
    track_kind: str | None
    track_sid: str | None
    egress_id: str | None
    status: PartStatus
    status_since: datetime
    asked_at: datetime | None
    stop_asked_at: datetime | None
    stop_told_at: datetime | None
    absent_since: datetime | None
    media_started_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    end_reason: EndReason | None
    segments: int
    segment_seconds: int
    segment_at: datetime | None
    next_look_at: datetime
    duration: float | None
    path_prefix: str | None
    late_prefix: str | None
    late_from: int | None
    moved_to: int | None
    file_path: str | None
    file_size: int | None
    error_message: str | None
    created_at: datetime
    storage_bucket: str | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "RecordingPart":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def written(self) -> bool:
        """LiveKit writes it, or is about to."""
        return self.status in WRITTEN

    @property
    def keys(self) -> PartKeys | None:
        """Where its objects lie; None for what is older than parts."""
        return None if self.path_prefix is None else PartKeys(self.path_prefix, self.late_prefix, self.late_from, self.moved_to)

    @property
    def final(self) -> bool:
        return self.status in ("ready", "failed", "deleted")

    @property
    def was_lost(self) -> bool:
        """It ended although nobody wanted that."""
        return self.end_reason in ("lost", "storage", "limit")


async def lock_recording(tx: Transaction, recording_id: UUID) -> Recording | None:
    """The recording, locked until the commit. The one lock order: the call's row, the stream's, then recordings, then their parts."""
    mine = sa.select(call_recordings).where(call_recordings.c.id == recording_id).with_for_update()
    row = (await tx.connection.execute(mine)).first()
    return None if row is None else Recording.of(row)


async def lock_active(tx: Transaction, call_id: UUID) -> Recording | None:
    """The recording of a locked call that runs or pauses, locked until the commit."""
    mine = sa.select(call_recordings).where(call_recordings.c.call_id == call_id, call_recordings.c.status.in_(ACTIVE))
    row = (await tx.connection.execute(mine.with_for_update())).first()
    return None if row is None else Recording.of(row)


async def parts_of(tx: Transaction, recording_id: UUID) -> Sequence[RecordingPart]:
    """A recording's parts in order. Whoever changes them holds the recording's lock."""
    mine = PARTS.where(call_recording_parts.c.recording_id == recording_id)
    return [RecordingPart.of(row) for row in await tx.connection.execute(mine.order_by(call_recording_parts.c.index))]
