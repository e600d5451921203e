"""What a clip is made of, as its row keeps it: decided once, so that a job that is cut off and begun again makes the same clip."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from domain.recordings.clips.ranges import PartRange
from domain.recordings.names import SEGMENT, new_prefix, picture_key
from domain.recordings.playing.storyboard import PICTURE_SECONDS
from domain.recordings.playing.visible import VisiblePart
from domain.recordings.playlists import Segment

# In the recording's notes.
NOTE: Final = "clip"


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A part of a clip: which segments become it, by the keys of where they are and of where they go."""

    id: UUID
    source: str
    target: str
    segments: tuple[Segment, ...]

    def copies(self) -> Iterator[tuple[str, str]]:
        """From which key to which."""
        for segment, name in zip(self.segments, self.names, strict=True):
            yield self.source + segment.name, self.target + name

    @property
    def names(self) -> Sequence[str]:
        return [f"{SEGMENT}_{number:05d}.ts" for number in range(len(self.segments))]

    @property
    def seconds(self) -> float:
        return sum(segment.seconds for segment in self.segments)

    def note(self) -> Mapping[str, Any]:
        """As JSON."""
        segments = [[one.name, one.seconds, one.began_at and one.began_at.isoformat()] for one in self.segments]
        return {"id": str(self.id), "source": self.source, "target": self.target, "segments": segments}


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """`picture` is the key of one that was taken near the beginning; whether there is any, only the store knows."""

    parts: tuple[PlannedPart, ...]
    picture: str

    @property
    def many(self) -> int:
        return sum(len(part.segments) for part in self.parts)

    def note(self) -> Mapping[str, Any]:
        return {NOTE: {"parts": [part.note() for part in self.parts], "picture": self.picture}}


def planned(clip_id: UUID, ranges: Sequence[PartRange], parts: Sequence[VisiblePart]) -> ClipPlan:
    """New keys for each part of the clip; the source's parts have a prefix, or they would not be in a playlist."""
    sources = {part.index: part.path_prefix or "" for part in parts}
    made = []
    for one in ranges:
        part_id = uuid4()
        made.append(PlannedPart(part_id, sources[one.index], new_prefix(clip_id, part_id), one.segments))
    first = ranges[0]
    return ClipPlan(tuple(made), picture_key(sources[first.index], int(first.offset // PICTURE_SECONDS)))


def of_note(note: Mapping[str, Any]) -> ClipPlan:
    """What `ClipPlan.note` wrote."""
    plan = note[NOTE]
    return ClipPlan(tuple(_part(part) for part in plan["parts"]), plan["picture"])


def _part(note: Mapping[str, Any]) -> PlannedPart:
    segments = [Segment(name, seconds, began and datetime.fromisoformat(began)) for name, seconds, began in note["segments"]]
    return PlannedPart(UUID(note["id"]), note["source"], note["target"], tuple(segments))
