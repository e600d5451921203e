"""What is missing between the first frame of a recording and its last, and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Literal

from domain.recordings.rows import EndReason, RecordingPart

GapReason = Literal["paused", "lost", "storage"]
# Two parts that follow each other so closely miss nothing that a person would.
UNNOTICED: Final = 0.5
REASONS: Final[dict[EndReason, GapReason]] = {
    "paused": "paused",
    "storage": "storage",
    "stopped": "lost",
    "lost": "lost",
    "limit": "lost",
    "narrowed": "paused",
}


def gaps(parts: Sequence[RecordingPart]) -> list[dict[str, str]]:
    """Between the parts of a composite that have media, in their order, as the column `gaps` holds them.

    A part without media in between was lost whole: the gap goes over it, and has the reason of the first that ended before it.
    """
    return [
        {"from": began.isoformat(), "to": ended.isoformat(), "reason": reason}
        for began, ended, reason in _between([part for part in parts if part.kind == "composite"])
        if (ended - began).total_seconds() > UNNOTICED
    ]


def _between(parts: Sequence[RecordingPart]) -> Iterator[tuple[datetime, datetime, GapReason]]:
    since: datetime | None = None
    reason: GapReason = "lost"
    for part in parts:
        if part.status != "ready" or part.media_started_at is None:
            continue
        if since is not None:
            yield since, part.media_started_at, reason
        since, reason = part.ended_at or since, REASONS[part.end_reason or "lost"]
