"""What actions on recordings answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class RecordingResult:
    recording_id: UUID
    call_id: UUID


@dataclass(frozen=True, slots=True)
class StartedResult(RecordingResult):
    started_at: datetime
