"""One stream repackaged as long as it grows: a program is fed with what recorders store, and what it writes is stored beside that.

Whoever is killed at it leaves it to the next, who begins anew from the first segment: nothing is encoded, so that takes a moment.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from domain.recording_ports import MANIFEST, ObjectStore, Packager, Packaging, PackagingFailed, StorageError
from domain.recordings.ending.gathering import objects_under
from domain.recordings.life_cycle import PARTS_TOPIC
from domain.recordings.names import dash_prefix
from domain.recordings.playing.part_segments import GAP, KnownSegments
from domain.recordings.playing.playlist import Playlist, compose
from domain.recordings.playing.visible import Visible, VisiblePart, VisibleStream
from domain.recordings.playlists import segments_of
from domain.streams.dash import taking
from domain.streams.dash.taking import DashInHand
from domain.world import World
from permissions.session import ADMIN, Session

log = structlog.get_logger(__name__)
# Seconds between two looks for new segments, when no hint wakes it.
EVERY: Final = 2.0
# A long stream is caught up with in steps of so many segments.
STEP: Final = 8
DELETED_AT_ONCE: Final = 1000
EVERYBODY: Final = Session(ADMIN, {})
TYPES: Final = {"mpd": "application/dash+xml", "m4s": "video/iso.segment"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment of HLS by its key, None for one that is lost; `asked` is how many seconds it was to be."""

    key: str | None
    began_at: datetime | None
    asked: int


async def take_dash(world: World, *, most: int) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
    """Up to so many streams that are to be repackaged now, each by calling it: that takes as long as the stream."""
    packager, store = world.packager, world.store
    if packager is None or store is None or most <= 0:
        return []
    return [partial(_package, world, packager, store, dash) for dash in await taking.take(world, most)]


async def _package(world: World, packager: Packager, store: ObjectStore, dash: DashInHand) -> None:
    work = _Work(world, store, dash, dash_prefix(dash.recording_id))
    try:
        await taking.begin(world, dash, work.prefix)
        if await work.follow(packager):
            await taking.complete(world, dash)
            return
    except (PackagingFailed, StorageError) as error:
        log.warning("dash_not_packaged", stream_id=str(dash.stream_id), attempt=dash.attempt, error=str(error))
    if not await taking.put_off(world, dash):
        log.error("dash_given_up", stream_id=str(dash.stream_id), attempts=dash.attempt)


class _Work:
    """One attempt; `fed` are the segments that the program was given."""

    def __init__(self, world: World, store: ObjectStore, dash: DashInHand, prefix: str) -> None:
        self._world, self._store, self._dash, self.prefix = world, store, dash, prefix
        self._segments, self._visible = KnownSegments(store, time.monotonic), Visible(world)
        self._fed, self._manifest, self._shown = 0, b"", False

    async def follow(self, packager: Packager) -> bool:
        """To the stream's end; False where it is not wanted any more, or another process has it."""
        stored, ended = await self._look() or ((), False)
        if not stored:
            return False
        opening = packager.open(stored[0].began_at or self._world.clock.now(), stored[0].asked)
        async with opening as program, self._world.hub.follow([PARTS_TOPIC]) as news:
            while not ended:
                if not await self._feed(program, stored):
                    return False
                await news.changed(EVERY)
                found = await self._look()
                if found is None:
                    return False
                stored, ended = found
            return await self._feed(program, stored) and await self._finish(program)

    async def _look(self) -> tuple[Sequence[Stored], bool] | None:
        """All that is stored by now, and whether that is all there will be; None for a stream that is not everybody's any more."""
        stream = await self._visible.stream(EVERYBODY, self._dash.stream_id)
        if stream is None or stream.recording is None or not stream.public:
            return None
        played = await compose(self._segments, stream.parts, ended=stream.recording.final)
        return list(_stored(stream, played)), played.ended

    async def _feed(self, program: Packaging, stored: Sequence[Stored]) -> bool:
        while self._fed < len(stored):
            for one in stored[self._fed : self._fed + STEP]:
                media = None if one.key is None else await self._store.of(self._dash.bucket).read(one.key)
                if media is not None:
                    await program.feed(media)
            self._fed = min(self._fed + STEP, len(stored))
            if not await self._publish(program):
                return False
        return await self._publish(program)

    async def _finish(self, program: Packaging) -> bool:
        await program.finish()
        return await self._publish(program, complete=True)

    async def _publish(self, program: Packaging, *, complete: bool = False) -> bool:
        """What the program has written is stored, the manifest after what it names; False where it is not wanted any more."""
        if not await taking.keep(self._world, self._dash):
            # What everybody gets stays for as long as it is anybody's; the rest is nobody's.
            if not await taking.serves(self._world, self._dash, self.prefix):
                await self._remove(self.prefix)
            return False
        written = await asyncio.to_thread(program.written)
        if written and (complete or written[-1][1] != self._manifest):
            for name, body in written:
                await self._store.of(self._dash.bucket).write(self.prefix + name, body, TYPES[name.rpartition(".")[2]])
            await asyncio.to_thread(program.forget, [name for name, _ in written if name != MANIFEST])
            self._manifest = written[-1][1]
            await self._tell(complete=complete)
        return True

    async def _tell(self, *, complete: bool) -> None:
        """Everybody gets it from now on; what others made before is nobody's."""
        if await taking.told(self._world, self._dash, self._fed, complete=complete) and not self._shown:
            self._shown = True
            for prefix in {self._dash.shown, self._dash.made} - {None, self.prefix}:
                await self._remove(prefix or "")

    async def _remove(self, prefix: str) -> None:
        store = self._store.of(self._dash.bucket)
        keys = list(await objects_under(store, prefix))
        for place in range(0, len(keys), DELETED_AT_ONCE):
            await store.delete(keys[place : place + DELETED_AT_ONCE])


def _stored(stream: VisibleStream, played: Playlist) -> Iterator[Stored]:
    parts: dict[int, VisiblePart] = {part.index: part for part in stream.parts}
    for one in played.parts:
        part = parts[one.segments.index]
        for entry in one.segments.entries[: one.count]:
            (segment,) = segments_of(entry)
            key = None if part.keys is None or GAP in entry else part.keys.of(segment.name.rpartition("/")[2])
            yield Stored(key, segment.began_at, part.segment_seconds)
