"""What a clip is made of, as its row keeps it: decided once, so that a job that is cut off and begun again makes the same clip."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from domain.recordings.clips.ranges import PartRange
from domain.recordings.names import new_prefix, picture_key, segment_name
from domain.recordings.part_keys import PartKeys
from domain.recordings.playing.storyboard import PICTURE_SECONDS
from domain.recordings.playing.visible import VisiblePart
from domain.recordings.playlists import Segment

# In the recording's notes.
NOTE: Final = "clip"
# By the ids of parts: where their objects lie.
Places = Mapping[UUID, PartKeys]


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One segment: its name, the key that it had when the clip was cut, and that of its copy. `of` is the part whose segment it is."""

    of: UUID | None
    name: str
    noted: str
    target: str

    def source(self, places: Places) -> str:
        """Where it lies by now: what was narrowed moves."""
        keys = None if self.of is None else places.get(self.of)
        return self.noted if keys is None else keys.of(self.name)


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """A part of a clip: which segments become it, by the keys of where they were and of where they go. `of` is the part that they are
    from, None in the plans of earlier versions."""

    id: UUID
    source: str
    segments: tuple[Segment, ...]
    target: str
    of: UUID | None = None

    def copies(self) -> Iterator[PlannedCopy]:
        """Each that is to be made."""
        for segment, name in zip(self.segments, self.names, strict=True):
            noted = self.source + segment.name
            yield PlannedCopy(self.of, noted.rpartition("/")[2], noted, self.target + name)

    @property
    def names(self) -> Sequence[str]:
        return [segment_name(number) for number in range(len(self.segments))]

    @property
    def seconds(self) -> float:
        return sum(segment.seconds for segment in self.segments)

    def note(self) -> Mapping[str, Any]:
        """As JSON."""
        segments = [[one.name, one.seconds, one.began_at and one.began_at.isoformat()] for one in self.segments]
        return {"id": str(self.id), "source": self.source, "target": self.target, "segments": segments, "of": self.of and str(self.of)}


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """`picture` is the key of one that was taken near the beginning; whether there is any, only the store knows."""

    parts: tuple[PlannedPart, ...]
    picture: str

    @property
    def sources(self) -> Collection[UUID]:
        """The parts that it is from."""
        return {part.of for part in self.parts if part.of is not None}

    @property
    def many(self) -> int:
        return sum(len(part.segments) for part in self.parts)

    def note(self) -> Mapping[str, Any]:
        return {NOTE: {"parts": [part.note() for part in self.parts], "picture": self.picture}}


def planned(clip_id: UUID, ranges: Sequence[PartRange], parts: Sequence[VisiblePart]) -> ClipPlan:
    """New keys for each part of the clip; the source's parts have a prefix, or they would not be in a playlist."""
    places = {part.index: part.keys or PartKeys("") for part in parts}
    ids = {part.index: part.id for part in parts}
    made = []
    for one in ranges:
        part_id = uuid4()
        sources = _sources(places[one.index], one.segments)
        made.append(PlannedPart(part_id, *sources, new_prefix(clip_id, part_id), ids[one.index]))
    first = ranges[0]
    return ClipPlan(tuple(made), picture_key(places[first.index].prefix, int(first.offset // PICTURE_SECONDS)))


def _sources(keys: PartKeys, segments: tuple[Segment, ...]) -> tuple[str, tuple[Segment, ...]]:
    """What the keys of all begin with, and each by the rest of its own: those of a part that lies in two places have nothing in common."""
    if keys.late_prefix is None:
        return keys.prefix, segments
    return "", tuple(replace(one, name=keys.of(one.name)) for one in segments)


class UnreadablePlan(Exception):
    """It is no plan that this version writes."""


def of_note(note: Any) -> ClipPlan:
    """What `ClipPlan.note` wrote. Raises UnreadablePlan."""
    try:
        plan = note[NOTE]
        made = ClipPlan(tuple(_part(part) for part in plan["parts"]), _text(plan["picture"]))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UnreadablePlan(type(error).__name__) from None
    if not made.parts or not all(part.segments for part in made.parts):
        raise UnreadablePlan("it names no segments")
    return made


def _part(note: Mapping[str, Any]) -> PlannedPart:
    segments = [Segment(_text(name), float(seconds), began and datetime.fromisoformat(began)) for name, seconds, began in note["segments"]]
    of = note.get("of")
    return PlannedPart(UUID(note["id"]), _text(note["source"]), tuple(segments), _text(note["target"]), of and UUID(of))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
