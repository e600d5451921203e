"""What LiveKit says of an egress, by webhook or by its list, and what it means for the part. Any order, any number of times."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.recording_ports import FINAL, EgressStatus
from domain.recordings.life_cycle import move_part
from domain.recordings.parts import set_part
from domain.recordings.rows import EndReason, PartStatus, RecordingPart
from domain.world import Transaction

# LiveKit's error codes as sentences of ours: its own texts quote keys and addresses.
SENTENCES: Final[Mapping[int, str]] = {
    400: "The store refused what was recorded.",
    403: "The recorder ran out of memory or time.",
    404: "The track was gone before it could be recorded.",
    412: "Nobody sent anything to record.",
    413: "The recorder's own limit was reached.",
    500: "The recorder broke down.",
    503: "No recorder answered.",
}
OTHERWISE: Final = "The recorder failed."
# Statuses that a part is still waiting in for one of LiveKit's.
_BEFORE: Final[tuple[PartStatus, ...]] = ("starting", "recording")


@dataclass(frozen=True, slots=True)
class News:
    """A status that LiveKit told of an egress; `error_code` is 0 where it named none."""

    status: EgressStatus
    error_code: int = 0


async def hear(tx: Transaction, part: RecordingPart, news: News, *, now: datetime, over: bool = False) -> bool:
    """Moves a part of a locked recording forward, never back; whether anything changed. `over`: its call has ended, and nothing is lost."""
    if news.status == "active":
        return part.status == "starting" and await _runs(tx, part, now)
    if news.status in FINAL:
        return await _ended(tx, part, news, now, over)
    return False


async def left_room(tx: Transaction, part: RecordingPart, *, now: datetime, over: bool = False) -> bool:
    """The egress is no participant any more: it records nothing, and uploads what it has."""
    if part.status not in _BEFORE:
        return False
    return await move_part(tx, part.id, part.status, "processing", now=now, ended_at=now, end_reason=part.end_reason or _lost(over))


async def lost(tx: Transaction, part: RecordingPart, sentence: str, *, now: datetime, reason: EndReason = "lost") -> bool:
    """Given up: whatever of it is stored counts, and nothing more is waited for."""
    if part.final or part.closed_at is not None:
        return False
    values = {"ended_at": part.ended_at or now, "closed_at": now, "end_reason": part.end_reason or reason, "error_message": sentence}
    if part.status == "processing":
        await set_part(tx, part.id, **values)
        return True
    return await move_part(tx, part.id, part.status, "processing", now=now, next_look_at=now, **values)


async def _runs(tx: Transaction, part: RecordingPart, now: datetime) -> bool:
    return await move_part(tx, part.id, "starting", "recording", now=now, segment_at=now, next_look_at=now)


async def _ended(tx: Transaction, part: RecordingPart, news: News, now: datetime, over: bool) -> bool:
    if part.final or part.closed_at is not None:
        return False
    values = {
        "ended_at": part.ended_at or now,
        "closed_at": now,
        # Who left the room without a word was taken for lost; now it is known why.
        "end_reason": _reason(news, over) if part.end_reason in (None, "lost") else part.end_reason,
        "error_message": None if news.status in ("complete", "limit_reached") else SENTENCES.get(news.error_code, OTHERWISE),
        "next_look_at": now,
    }
    if part.status == "processing":
        await set_part(tx, part.id, **values)
        return True
    return await move_part(tx, part.id, part.status, "processing", now=now, **values)


def _reason(news: News, over: bool) -> EndReason:
    if news.status == "limit_reached":
        return "limit"
    return "storage" if news.error_code == 400 else _lost(over)


def _lost(over: bool) -> EndReason:
    return "stopped" if over else "lost"
