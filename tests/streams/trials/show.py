"""A stream of alice's on the studio: she sends with ffmpeg, others watch by the page, and everybody is told what happens."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
from livekit import api

from devstack.demo.story import mutation
from devstack.demo_stream.encoder import Encoder
from devstack.demo_stream.following import Following
from devstack.demo_stream.stage import within
from tests.livekit.targets import KEY, SECRET
from tests.streams.trials.colour_clock import TICK, colour_of, tell_the_time
from tests.streams.trials.studio import Studio
from tests.streams.trials.viewer import Viewer
from tests.support.domain_setup import ALICE, CAROL, GENERAL
from tests.support.waiting import eventually
from tests.support.whole_service import bearer

EVENTS: Final = """subscription ($id: uuid!) { streamEvents(streamId: $id) { kind status viewerCount createdAt } }"""
ROW: Final = """SELECT status::text, room_name, room_closed_at IS NOT NULL AS closed, host_gone_since IS NOT NULL AS waits,
    metadata ->> 'failure' AS failure FROM nchat_streams WHERE id = $1"""
PARTS: Final = """SELECT part.* FROM nchat_call_recording_parts AS part JOIN nchat_call_recordings AS recording
    ON recording.id = part.recording_id WHERE recording.stream_id = $1 ORDER BY part.index"""
# OBS waits so long before it connects again.
AGAIN_AFTER: Final = 2.0
LIVE_WITHIN, OVER_WITHIN = 60, 90


def token(user_id: UUID) -> str:
    return bearer(user_id)["authorization"].removeprefix("Bearer ")


class PersistentEncoder:
    """ffmpeg as OBS runs it: whoever cuts it off meets it again two seconds later. It shows the time."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._encoder: Encoder | None = None
        self._running: asyncio.Task[None] | None = None
        self.ends = 0
        self._ended = asyncio.Event()

    def begin(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def vanish(self) -> None:
        """No goodbye is said, and it does not come again before `begin`."""
        if self._encoder is not None:
            self._encoder.kill()
        await self.end()

    async def refused(self) -> None:
        """Waits until somebody else ends it."""
        self._ended.clear()
        await within(self._ended.wait(), 20, "the encoder to be refused")

    async def end(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._once()
            self.ends += 1
            self._ended.set()
            await asyncio.sleep(AGAIN_AFTER)

    async def _once(self) -> None:
        self._encoder = Encoder(self._url, self._key, colour_of(int(time.time() / TICK)))
        await self._encoder.start()
        telling = asyncio.create_task(tell_the_time(self._encoder))
        try:
            await self._encoder.over()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            await self._encoder.stop()


@dataclass(slots=True)
class Show:
    """`viewer` watches from the start, without a token; carol follows the `events`."""

    studio: Studio
    id: UUID
    encoder: PersistentEncoder
    events: Following
    viewer: Viewer
    watching: "asyncio.Task[None]"
    lost_egresses: set[str] = field(default_factory=set)

    async def act(self, name: str, selection: str = "streamId", **given: object) -> Any:
        """What alice does with it."""
        answer = await self.studio.hosts.ask(token(ALICE), mutation(name, selection), input={"streamId": str(self.id), **given})
        return answer[name]

    async def row(self) -> asyncpg.Record:
        row: asyncpg.Record | None = await self.studio.database.fetchrow(ROW, self.id)
        assert row is not None
        return row

    async def parts(self) -> Sequence[asyncpg.Record]:
        return await self.studio.database.fetch(PARTS, self.id)

    def kinds(self) -> list[str]:
        """What carol was told by events, but for counts."""
        return [one["kind"] for one in self.events.told if one["kind"] not in ("viewers", "reactions")]

    async def told(self, kind: str, *, since: int = 0, seconds: float = 60) -> int:
        """Waits until carol hears of it; how many events she had heard then."""
        await within(self.events.until(lambda one: one["kind"] == kind, since=since), seconds, f"carol to hear of {kind}")
        return len(self.events.told)

    async def becomes(self, *statuses: str, seconds: float) -> None:
        """As carol is told: one of these. What lasts for a moment may be over before anybody is told."""
        await within(self.events.until(lambda one: one["status"] in statuses), seconds, f"the stream to be {' or '.join(statuses)}")

    async def plays(self, segments: int, *, part: int = 0, seconds: float = 60) -> None:
        """The viewer has played so many segments of that part."""

        async def so() -> bool:
            if self.watching.done():
                self.watching.result()
            parts = self.viewer.parts()
            return len(parts) > part and len(parts[part]) >= segments

        await eventually(so, seconds=seconds)

    async def plays_on(self, *, seconds: float = 60) -> None:
        """The viewer has played pictures that were taken from now on."""
        now = time.time()

        async def so() -> bool:
            return bool(self.viewer.loaded) and self.viewer.loaded[-1].listed.began_at > now

        await eventually(so, seconds=seconds)

    async def stops(self) -> None:
        """alice stops it, and it comes to its end everywhere."""
        await self.act("stopStream")
        await self.is_over()

    async def is_over(self, failure: str | None = None) -> None:
        """Everybody agrees: the row, what carol was told, the page, LiveKit's room, egress and ingress, and the workers themselves."""
        await self.becomes("ended", seconds=OVER_WITHIN)
        await within(self.watching, 60, "the viewer to come to the end")
        assert self.viewer.showing in ("live", "whole")
        row = await self.row()
        assert (row["status"], row["failure"]) == ("ended", failure)
        await eventually(self._nothing_is_left, seconds=60)

    async def _nothing_is_left(self) -> bool:
        row = await self.row()
        running = [one for worker in self.studio.recorders if worker.child.running for one in worker.running]
        parts_run = any(part["status"] in ("starting", "recording", "processing") for part in await self.parts())
        return bool(row["closed"]) and not (running or self.studio.ingest.running or parts_run) and await self._livekit_has_nothing()

    async def _livekit_has_nothing(self) -> bool:
        name = (await self.row())["room_name"]
        async with api.LiveKitAPI(self.studio.livekit.url, KEY, SECRET) as livekit:
            rooms = (await livekit.room.list_rooms(api.ListRoomsRequest(names=[name]))).rooms
            ingresses = (await livekit.ingress.list_ingress(api.ListIngressRequest(room_name=name))).items
            egresses = (await livekit.egress.list_egress(api.ListEgressRequest(room_name=name, active=True))).items
        # What a worker that was killed left in its record stands there for ever.
        return not rooms and not ingresses and {one.egress_id for one in egresses} <= self.lost_egresses


@asynccontextmanager
async def show(studio: Studio, *, visibility: str = "public") -> AsyncIterator[Show]:
    """It is live inside the block; whatever comes of it, nothing of it goes on afterwards."""
    wanted = {"channelId": str(GENERAL), "title": "Friday", "visibility": visibility, "ingress": "rtmp"}
    document = mutation("startStream", "streamId rtmpIngestUrl streamKey")
    started = (await studio.hosts.ask(token(ALICE), document, input=wanted))["startStream"]
    events = Following(studio.viewers, token(CAROL), EVENTS, "streamEvents", id=started["streamId"])
    viewer = Viewer(studio.http, studio.viewers.url, started["streamId"])
    encoder = PersistentEncoder(started["rtmpIngestUrl"], started["streamKey"])
    one = Show(studio, UUID(started["streamId"]), encoder, events, viewer, asyncio.create_task(viewer.watch()))
    try:
        encoder.begin()
        await one.becomes("live", seconds=LIVE_WITHIN)
        yield one
    finally:
        await _end(one)


async def _end(one: Show) -> None:
    """Ends what runs here, and the stream if it is not over."""
    one.watching.cancel()
    await asyncio.gather(one.watching, one.encoder.end(), one.events.stop(), return_exceptions=True)
    if (await one.row())["status"] not in ("ended", "cancelled"):
        await one.act("stopStream")
