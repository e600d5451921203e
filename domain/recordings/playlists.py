"""The playlist that LiveKit's worker writes: an EVENT playlist of MPEG-TS segments, each with the time of its first frame (RFC 8216)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

INF: Final = "#EXTINF:"
TIME: Final = "#EXT-X-PROGRAM-DATE-TIME:"
END: Final = b"#EXT-X-ENDLIST"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment by the name in its playlist; `seconds` of media from `began_at` on, where the playlist says when."""

    name: str
    seconds: float
    began_at: datetime | None = None

    @property
    def ended_at(self) -> datetime | None:
        return None if self.began_at is None else self.began_at + timedelta(seconds=self.seconds)


def is_complete(playlist: bytes) -> bool:
    """Whoever wrote it, or the end of it, adds nothing any more: that is the last line."""
    return playlist.rstrip().endswith(END)


def segments_of(playlist: bytes) -> Sequence[Segment]:
    """The segments of a whole playlist, or of the end of one: what of the first line is missing is left out."""
    return list(_segments(playlist.decode("utf-8", "replace").splitlines()))


def _segments(lines: Sequence[str]) -> Iterator[Segment]:
    seconds: float | None = None
    began_at: datetime | None = None
    for line in lines:
        if line.startswith(INF):
            seconds = _number(line.removeprefix(INF).partition(",")[0])
        elif line.startswith(TIME):
            began_at = _time(line.removeprefix(TIME))
        elif line and not line.startswith("#"):
            if seconds is not None:
                yield Segment(line.strip(), seconds, began_at)
            seconds, began_at = None, None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
