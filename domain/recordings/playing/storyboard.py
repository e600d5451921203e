"""Pictures for a seek bar: WebVTT whose cues name the pictures that a recorder takes, on the time line of the playlist."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.recording_ports import ObjectStore
from domain.recordings.ending.gathering import objects_under
from domain.recordings.names import PICTURE
from domain.recordings.playing.part_segments import LINK
from domain.recordings.playing.playlist import Playlist
from domain.recordings.playing.visible import VisiblePart

CONTENT_TYPE: Final = "text/vtt; charset=utf-8"
# As the recorder is asked for them.
PICTURE_SECONDS: Final = 10
FRESH_FOR: Final = 10.0
MOST_PARTS: Final = 500
NAME: Final = re.compile(rf"{PICTURE}_([0-9]{{5,9}})\.jpeg")


@dataclass(frozen=True, slots=True)
class _Pictures:
    numbers: Sequence[int]
    final: bool
    looked_at: float


class Storyboards:
    """Those of a process: of a part that is over the list of pictures is asked for once."""

    def __init__(self, store: ObjectStore, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._known: OrderedDict[UUID, _Pictures] = OrderedDict()

    async def text(self, parts: Sequence[VisiblePart], playlist: Playlist, link: str) -> str:
        """The cues of all parts that the playlist has, each picture below `link`. Raises StorageError."""
        by_index = {part.index: part for part in parts}
        cues, began = ["WEBVTT\n"], 0.0
        for played in playlist.parts:
            ends = began + played.seconds
            for number in await self._pictures(by_index[played.segments.index]):
                since = began + number * PICTURE_SECONDS
                if since < ends:
                    cues.append(_cue(since, min(since + PICTURE_SECONDS, ends), played.segments.index, number))
            began = ends
        return "\n".join(cues).replace(LINK, link)

    async def _pictures(self, part: VisiblePart) -> Sequence[int]:
        known = self._known.get(part.id)
        if known is None or not (known.final or self._now() - known.looked_at < FRESH_FOR):
            known = self._known[part.id] = _Pictures(await self._list(part), part.status == "ready", self._now())
            while len(self._known) > MOST_PARTS:
                self._known.popitem(last=False)
        self._known.move_to_end(part.id)
        return known.numbers

    async def _list(self, part: VisiblePart) -> Sequence[int]:
        if part.path_prefix is None:
            return ()
        there = await objects_under(self._store.of(part.bucket), f"{part.path_prefix}{PICTURE}_")
        return sorted(_numbers(key.removeprefix(part.path_prefix) for key in there))


def _numbers(names: Iterator[str]) -> Iterator[int]:
    for name in names:
        if (found := NAME.fullmatch(name)) is not None:
            yield int(found[1])


def _cue(since: float, until: float, index: int, number: int) -> str:
    return f"{_time(since)} --> {_time(until)}\n{LINK}/{index}/{PICTURE}_{number:05d}.jpeg\n"


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
