"""The segments of parts, as their recorders' playlists name them: read from storage once, and then by their ends alone."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from domain.recording_ports import ObjectStore, StorageError
from domain.recordings.ending.gathering import objects_of
from domain.recordings.names import playlist_key
from domain.recordings.playing.visible import VisiblePart
from domain.recordings.playlists import Segment, is_complete, segments_of

# Seconds: however many watch, a recorder's playlist is read no more often.
FRESH_FOR: Final = 1.0
# Seconds that a player waits for news; then it gets what is known.
PATIENCE: Final = 2.0
# Some forty entries: as many follow the last known one if nobody looked for a while.
TAIL_BYTES: Final = 4096
# In all: some 25 MB.
MOST_SEGMENTS: Final = 100_000
# Where the link of whoever watches goes.
LINK: Final = "{link}"
# Before a segment that is named and not there.
GAP: Final = b"#EXT-X-GAP"
NAME: Final = re.compile(r"segment_[0-9]{1,9}\.ts")


@dataclass(slots=True)
class PartSegments:
    """What is known of one part. What stands in its lists stays: who counted may read later.

    `complete`: its recorder has named its last segment; `final`: besides, it is known which of them are lost.
    """

    index: int
    entries: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    last: str = ""
    longest: float = 0.0
    complete: bool = False
    final: bool = False

    def add(self, segments: Sequence[Segment], missing: Collection[str] = ()) -> None:
        """Those that follow, in order; of `missing` ones a player is told not to ask for them."""
        for segment in segments:
            if NAME.fullmatch(segment.name):
                self.entries.append(_entry(self.index, segment, gap=segment.name in missing))
                self.seconds.append(segment.seconds)
                self.last, self.longest = segment.name, max(self.longest, segment.seconds)


@dataclass(slots=True)
class _Known:
    segments: PartSegments
    looked_at: float = float("-inf")
    failure: StorageError | None = None
    # Who comes while it is read waits, and then finds it fresh.
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class KnownSegments:
    """Those of a process, the least watched parts forgotten first. `now` is in seconds, and never goes back."""

    def __init__(self, store: ObjectStore, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._parts: OrderedDict[UUID, _Known] = OrderedDict()

    async def of(self, part: VisiblePart) -> PartSegments:
        """What there is by now. Raises StorageError when nothing was ever read of it; what is known already plays on without a store."""
        known = self._parts.setdefault(part.id, _Known(PartSegments(part.index)))
        self._parts.move_to_end(part.id)
        async with known.lock:
            if not known.segments.final and self._now() - known.looked_at >= FRESH_FOR:
                await self._refresh(known, part)
        self._forget()
        if known.failure is not None and not known.segments.entries:
            raise known.failure
        return known.segments

    async def _refresh(self, known: _Known, part: VisiblePart) -> None:
        """A failure is an answer too, for all who wait for it and for a moment longer: nobody queues up behind a store that is away."""
        try:
            async with asyncio.timeout(PATIENCE if known.segments.entries else None):
                if part.status == "ready" or not (known.segments.complete or await self._tail(known.segments, part)):
                    known.segments = await self._whole(part)
            known.failure = None
        except StorageError as error:
            known.failure = error
        except TimeoutError:
            known.failure = StorageError("the store takes too long")
        known.looked_at = self._now()

    async def _tail(self, known: PartSegments, part: VisiblePart) -> bool:
        """Adds what follows the last known segment; False when that is out of sight."""
        if not known.entries or part.path_prefix is None:
            return False
        body = await self._store.of(part.bucket).read(playlist_key(part.path_prefix), last=TAIL_BYTES) or b""
        segments = segments_of(body)
        place = next((place for place, segment in enumerate(segments) if segment.name == known.last), None)
        if place is None:
            return False
        known.add(segments[place + 1 :])
        known.complete = is_complete(body)
        return True

    async def _whole(self, part: VisiblePart) -> PartSegments:
        found = PartSegments(part.index, final=part.status == "ready")
        if part.path_prefix is not None:
            body = await self._store.of(part.bucket).read(playlist_key(part.path_prefix)) or b""
            found.complete = is_complete(body)
            # The lines of eight hours take longer than the event loop may be kept.
            named = await asyncio.to_thread(segments_of, body)
            await asyncio.to_thread(found.add, named, await self._missing(part, named) if found.final else ())
        return found

    async def _missing(self, part: VisiblePart, named: Sequence[Segment]) -> Collection[str]:
        """Segments that the playlist names and storage lacks. Their number is in the row, so that a list is rarely asked for."""
        if part.keys is None or len(named) == part.segments:
            return ()
        there = await objects_of(self._store.of(part.bucket), part.keys)
        return {segment.name for segment in named if segment.name not in there}

    def _forget(self) -> None:
        total = sum(len(known.segments.entries) for known in self._parts.values())
        while total > MOST_SEGMENTS and len(self._parts) > 1:
            total -= len(self._parts.popitem(last=False)[1].segments.entries)


def _entry(index: int, segment: Segment, *, gap: bool) -> bytes:
    lines = [] if segment.began_at is None else [f"#EXT-X-PROGRAM-DATE-TIME:{_moment(segment)}"]
    lines += [GAP.decode()] * gap
    lines += [f"#EXTINF:{segment.seconds:.3f},", f"{LINK}/{index}/{segment.name}", ""]
    return "\n".join(lines).encode()


def _moment(segment: Segment) -> str:
    assert segment.began_at is not None  # noqa: S101 - for the type: the caller has looked
    return segment.began_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
