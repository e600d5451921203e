"""How far a part's playlist has come: the end of it says, however long it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from domain.recording_ports import ObjectStore
from domain.recordings.names import playlist_key
from domain.recordings.playlists import Segment, segments_of
from domain.recordings.rows import RecordingPart

# A few entries' worth: the last one counts.
TAIL_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Growth:
    """So many segments; when the first of them began is known only while it is in sight."""

    segments: int
    began_at: datetime | None


async def read(store: ObjectStore, part: RecordingPart, path_prefix: str) -> Growth:
    """Raises StorageError. A playlist that is not there yet has no segments."""
    known = part.media_started_at is not None
    found = await store.of(part.storage_bucket).read(playlist_key(path_prefix), last=TAIL_BYTES if known else None)
    segments = segments_of(found or b"")
    if not segments:
        return Growth(0 if found is None else part.segments, None)
    return Growth(_number(segments[-1]) + 1, segments[0].began_at)


def _number(segment: Segment) -> int:
    """`segment_00041.ts` is the 42nd."""
    digits = segment.name.rpartition("_")[2].partition(".")[0]
    return int(digits) if digits.isdecimal() else 0
