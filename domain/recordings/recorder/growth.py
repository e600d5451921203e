"""How far a part's playlist has come: the end of it says, however long it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from domain.recording_ports import ObjectStore
from domain.recordings.names import playlist_key
from domain.recordings.playlists import Segment, segments_of
from domain.recordings.rows import RecordingPart

# A few entries' worth: the last one counts.
TAIL_BYTES: Final = 512
# Clocks of two machines are this close.
TRUSTED: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Growth:
    """So many segments; when the first of them began, by the recorder's clock, is known only while it is in sight, and then `seconds`, how
    long all of them are, too."""

    segments: int
    began_at: datetime | None
    seconds: float = 0.0


async def read(store: ObjectStore, part: RecordingPart, path_prefix: str) -> Growth:
    """Raises StorageError. A playlist that is not there yet has no segments."""
    known = part.media_started_at is not None
    found = await store.of(part.storage_bucket).read(playlist_key(path_prefix), last=TAIL_BYTES if known else None)
    segments = segments_of(found or b"")
    if not segments:
        return Growth(0 if found is None else part.segments, None)
    return Growth(_number(segments[-1]) + 1, segments[0].began_at, sum(segment.seconds for segment in segments))


def on_our_clock(grown: Growth, asked_at: datetime | None, at: datetime) -> datetime | None:
    """When the first frame was by our clock, of a part that is seen for the first time.

    It was after the recorder had been asked, and so long before the look as there is media; where the recorder's clock says otherwise by
    more than TRUSTED, it goes wrong. Less can't be told from the time that a segment takes to arrive.
    """
    if grown.began_at is None:
        return None
    latest = at - timedelta(seconds=grown.seconds)
    possible = min(max(grown.began_at, asked_at or grown.began_at), max(latest, asked_at or latest))
    return grown.began_at if abs(possible - grown.began_at) <= TRUSTED else possible


def _number(segment: Segment) -> int:
    """`segment_00041.ts` is the 42nd."""
    digits = segment.name.rpartition("_")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
