"""Which segments a range of a playlist is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from domain.recordings.playing.part_segments import GAP
from domain.recordings.playing.playlist import Played, Playlist
from domain.recordings.playlists import Segment, segments_of

# Of what is there already a player may show a little more than its playlist says.
SLACK: Final = 0.5


@dataclass(frozen=True, slots=True)
class PartRange:
    """Segments of the part `index`, in their order, the first of which begins so many seconds after the part does."""

    index: int
    offset: float
    segments: tuple[Segment, ...]


def length(played: Playlist) -> float:
    """Seconds of the playlist's own time line."""
    return sum(part.seconds for part in played.parts)


def cut(played: Playlist, begins: float, ends: float) -> Sequence[PartRange]:
    """Every segment that the range touches, part by part: a clip begins and ends where segments do. What is lost is left out."""
    found, began = list[PartRange](), 0.0
    for part in played.parts:
        touched = list(_touched(part, begins - began, ends - began))
        if touched:
            found.append(PartRange(part.segments.index, touched[0][0], tuple(segment for _, segment in touched)))
        began += part.seconds
    return found


def _touched(part: Played, begins: float, ends: float) -> Iterator[tuple[float, Segment]]:
    """Each with its place in the part."""
    at = 0.0
    for entry, seconds in zip(part.segments.entries[: part.count], part.segments.seconds, strict=False):
        if at < ends and at + seconds > begins and GAP not in entry:
            (segment,) = segments_of(entry)
            yield at, replace(segment, name=segment.name.rpartition("/")[2])
        at += seconds
