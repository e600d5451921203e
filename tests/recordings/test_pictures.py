"""A call with sound and pictures is recorded as the product records it, and its files are watched: who was there is in them, and when."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest
from livekit import rtc

from domain.recordings.actions.stop import stop_recording
from domain.recordings.starting import RESOLUTIONS, Manner
from tests.devstack.media.performer import Performer
from tests.livekit.targets import RealPerson
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.recordings.moments import COLOURS, Moments, moments, order
from tests.support.domain_setup import CAROL, DAVE, newcomers, session

pytestmark = pytest.mark.anyio
# Seconds, enough to be seen and heard.
A_WHILE = 2


@dataclass(slots=True)
class PerformedCall:
    """carol sings 440 Hz and shows red, dave 660 Hz and blue; whoever comes `late` 880 Hz and green."""

    call: LiveCall
    late: UUID
    performers: dict[UUID, Performer] = field(default_factory=dict)
    parts: ClassVar = {CAROL: (440, "red"), DAVE: (660, "blue")}

    async def begin(self) -> None:
        await asyncio.gather(*(self.perform(*one) for one in zip((CAROL, DAVE), await self.call.ring("video", DAVE), strict=True)))
        await self.call.is_connected()

    async def perform(self, who: UUID, token: str) -> None:
        room = rtc.Room()
        await room.connect(self.call.ws_url, token)
        hertz, colour = self.parts.get(who, (880, "green"))
        person = RealPerson(room, asyncio.get_running_loop().create_future())
        self.performers[who] = Performer(person, hertz, COLOURS[colour])
        await self.performers[who].begin()

    async def late_comes(self) -> None:
        await self.perform(self.late, await self.call.join(self.late))

    async def for_a_while(self, seconds: float = A_WHILE) -> None:
        await self.performers[CAROL].sing_for(seconds)

    async def leave(self, who: UUID) -> None:
        await self.performers.pop(who).end()

    async def record(self, manner: Manner) -> UUID:
        """Its first part is written."""
        recording_id = await self.call.start(manner)
        await self.call.becomes(recording_id, "recording")
        return recording_id

    async def finish(self, recording_id: UUID) -> asyncpg.Record:
        await stop_recording(self.call.world, session(CAROL), recording_id)
        await self.call.becomes(recording_id, "ready", seconds=30)
        return await self.call.recording(recording_id)

    async def watch(self, row: asyncpg.Record) -> Moments:
        """The file of a recording, or of a part."""
        store = self.call.world.store
        assert store is not None
        return await asyncio.to_thread(moments, await store.read(row["file_path"]) or b"")


@pytest.fixture
async def performed(live: LiveCall, workers: Workers) -> AsyncIterator[PerformedCall]:
    workers(blank=False)
    (late,) = await newcomers(live.on, 1)
    call = PerformedCall(LiveCall(live.on, live.world, live.ws_url, host=CAROL), late)
    await call.begin()
    yield call
    await asyncio.gather(*(call.leave(who) for who in list(call.performers)))


async def test_who_was_there_is_in_the_files(performed: PerformedCall) -> None:
    """One call, recorded four times: its people are expensive."""
    await all_in_one_picture(performed)
    await each_track_for_itself(performed)
    for resolution in ("1080p", "4k"):
        await a_picture_of_that_size(performed, resolution)


async def all_in_one_picture(performed: PerformedCall) -> None:
    recording_id = await performed.record(Manner(resolution="720p"))
    await performed.for_a_while()
    await performed.late_comes()
    await performed.for_a_while()
    await performed.leave(DAVE)
    await performed.for_a_while()
    file = await performed.watch(await performed.finish(recording_id))
    assert (sorted(file.codecs), file.size) == (["aac", "h264"], (1280, 720))
    assert order(file.heard)[-3:] == [{440, 660}, {440, 660, 880}, {440, 880}]
    assert order(file.seen)[-3:] == [{"red", "blue"}, {"red", "green", "blue"}, {"red", "green"}]


async def each_track_for_itself(performed: PerformedCall) -> None:
    recording_id = await performed.record(Manner("individual_tracks"))
    for index in range(4):
        await performed.call.part_becomes(recording_id, index, "recording")
    await performed.for_a_while(1)
    row, parts = await performed.finish(recording_id), await performed.call.parts(recording_id)
    assert (row["file_path"], row["file_reason"]) == (None, "Each track has a file of its own.")
    assert {(part["kind"], part["status"], part["end_reason"]) for part in parts} == {("track", "ready", "stopped")}
    alone = {(part["user_id"], part["track_kind"]): await performed.watch(part) for part in parts}
    assert {whose: list(track.codecs) for whose, track in alone.items()} == {
        (who, kind): [codec] for who in (CAROL, performed.late) for kind, codec in (("microphone", "aac"), ("camera", "h264"))
    }
    for who, hertz, colour in ((CAROL, 440, "red"), (performed.late, 880, "green")):
        assert frozenset().union(*alone[who, "microphone"].heard) == {hertz}
        assert frozenset().union(*alone[who, "camera"].seen) == {colour}


async def a_picture_of_that_size(performed: PerformedCall, resolution: str) -> None:
    recording_id = await performed.record(Manner(resolution=resolution))
    await performed.for_a_while(1)
    file = await performed.watch(await performed.finish(recording_id))
    assert file.size == RESOLUTIONS[resolution]
    assert file.seen[-1] == {"red", "green"}
    # Both, though not always at once: who encodes so large a picture on a busy machine leaves gaps in what comes in.
    assert frozenset().union(*file.heard) == {440, 880}
