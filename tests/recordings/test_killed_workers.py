"""A worker is killed while it records, and another is there 2 s later: what was said is found in the media, but for a few seconds."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
import pytest

from domain.recordings.actions.stop import stop_recording
from domain.recordings.names import playlist_key
from domain.recordings.playlists import segments_of
from domain.recordings.starting import Manner
from tests.recordings.conftest import Workers
from tests.recordings.live_call import LiveCall
from tests.recordings.told_time import heard_apart, tell_the_time
from tests.support.domain_setup import CAROL, DAVE, session
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

# Two recordings each.
DEATHS = 10 if WHOLE else 1
SEGMENT, LATEST = 4, 25
# From the request to the first frame, and what a window of a quarter of a second can't tell apart.
BEGINS_WITHIN, BLUR = 6, 2


@asynccontextmanager
async def speaking(call: LiveCall) -> AsyncIterator[None]:
    voice = asyncio.create_task(tell_the_time(call.sound))
    try:
        yield
    finally:
        voice.cancel()
        with suppress(asyncio.CancelledError):
            await voice


@pytest.mark.parametrize("death", range(DEATHS))
async def test_a_worker_dies(live: LiveCall, workers: Workers, death: int) -> None:
    chance = random.SystemRandom()
    other = LiveCall(live.on, live.world, live.ws_url, host=CAROL)
    await other.begin(DAVE)
    worker = workers(blank=False)
    async with AsyncExitStack() as stack:
        for call in (live, other):
            await stack.enter_async_context(speaking(call))
        recordings = {call.host: await call.start(Manner("audio_only")) for call in (live, other)}
        for call in (live, other):
            await call.has_segments(recordings[call.host], 0, 1)
        await asyncio.sleep(chance.uniform(0, 6))
        worker.kill()
        died_at = time.time()
        await asyncio.sleep(2)
        workers(blank=False)
        for call in (live, other):
            await call.has_segments(recordings[call.host], 1, 2, seconds=60)
            await stop_recording(call.world, session(call.host), recordings[call.host])
        for call in (live, other):
            await call.becomes(recordings[call.host], "ready", seconds=30)
            await assert_little_is_lost(call, recordings[call.host], died_at)
    await asyncio.gather(*(person.disconnect() for person in other.people))


async def assert_little_is_lost(call: LiveCall, recording_id: UUID, died_at: float) -> None:
    """By the tones in the media; and the row tells the same gap."""
    parts = await call.parts(recording_id)
    assert [part["end_reason"] for part in parts] == ["lost", "stopped"]
    before, after = [await told_in(call, part) for part in parts]
    for told in (before, after):
        assert len(told) >= told[-1] - told[0], f"seconds are missing within a part: {told}"
    assert before[-1] >= died_at - 2 * SEGMENT - BLUR
    assert after[0] <= died_at + LATEST + BEGINS_WITHIN
    (gap,) = orjson.loads((await call.recording(recording_id))["gaps"])
    assert gap["reason"] == "lost"
    assert abs(datetime.fromisoformat(gap["from"]).timestamp() - (before[-1] + 1)) <= BLUR
    assert abs(datetime.fromisoformat(gap["to"]).timestamp() - after[0]) <= BLUR


async def told_in(call: LiveCall, part: asyncpg.Record) -> list[int]:
    store = call.world.store
    assert store is not None
    playlist = await store.read(playlist_key(part["path_prefix"]))
    names = [segment.name for segment in segments_of(playlist or b"")]
    segments = [await store.read(part["path_prefix"] + name) for name in names]
    told = await heard_apart([segment for segment in segments if segment], part["media_started_at"].timestamp())
    assert told, "nothing is heard"
    return told
