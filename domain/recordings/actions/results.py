"""What actions on recordings answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """`call_id` is None of a stream's recording."""

    recording_id: UUID
    call_id: UUID | None


@dataclass(frozen=True, slots=True)
class StoppedResult(RecordingResult):
    """What is known of it already; seconds and bytes."""

    duration: int | None
    file_size: int | None
    url: str | None
    thumbnail_url: str | None


@dataclass(frozen=True, slots=True)
class StartedResult(RecordingResult):
    started_at: datetime
