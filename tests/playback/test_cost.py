"""What it costs one process when many without a name watch a public stream: `make trial-watchers` takes a minute for it."""

import asyncio
import time

import httpx2
import psutil
import pytest

from app.storage.s3_store import S3Address, open_store
from devstack.store import StoreProcess
from domain.recordings.playing.addresses import UNSIGNED
from tests.media.film import SECONDS
from tests.media.watchers import RELOAD_EVERY, SEGMENT_EVERY, Seen, get, process, used
from tests.playback.broadcast import Broadcast, broadcast
from tests.support.domain_setup import Setup
from tests.trials.scale import WHOLE

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
WATCHERS, LASTS = (2000, 60.0) if WHOLE else (300, 3.0)
# An hour of it.
SEGMENTS = 3600 // SECONDS
LARGEST_RELOAD = 10_000
# Milliseconds of one core for a reload, or for a segment that this process has to redirect. Beside other tests one costs more.
MOST = 1.5 if WHOLE else 4.0


async def watch(http: httpx2.AsyncClient, live: Broadcast, seen: Seen, phase: float, *, segments: bool) -> None:
    """As hls.js does, from some moment on."""
    link, began = f"/media/stream/{live.stream}/{UNSIGNED}", time.monotonic()
    times = [(RELOAD_EVERY * (phase + turn), True) for turn in range(int(LASTS / RELOAD_EVERY) + 1)]
    times += [(SEGMENT_EVERY * (phase + turn), False) for turn in range(int(LASTS / SEGMENT_EVERY) + 1)] * segments
    for due, reload in sorted(times):
        if due > LASTS:
            break
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        if reload:
            seen.reloads.append(len(await get(http, f"{link}?_HLS_skip=YES", 200)))
        else:
            await get(http, f"{link}/0/segment_{SEGMENTS - 1:05d}.ts", 302)
            seen.redirects += 1


async def grow(live: Broadcast, prefix: str) -> None:
    """The recorder goes on."""
    segments = SEGMENTS
    while True:
        await asyncio.sleep(SECONDS)
        segments += 1
        await live.list(prefix, segments)


# Without a CDN a process does more, and the same besides.
@pytest.mark.parametrize("cdn", [True, False] if WHOLE else [False], ids=lambda cdn: "from a CDN" if cdn else "signed")
async def test_many_watch_a_stream_at_little_cost(on: Setup, store_process: StoreProcess, cdn: bool) -> None:
    seen, more = Seen(), {"NCHAT_UNAUTHORIZED_ROLE": "anonymous"} | ({"NCHAT_STREAM_CDN_URL": "https://cdn.example"} if cdn else {})
    address = S3Address("recordings", store_process.url, access_key=store_process.access_key, secret_key=store_process.secret_key)
    async with open_store(address) as store, process(on.url, store_process, **more) as (service, measured):
        live = await broadcast(on, store)
        spent = await watched(live, service, measured, seen, segments=not cdn)
    each = 1000 * spent / (len(seen.reloads) + seen.redirects)
    figures = f"{each:.2f} ms a request, {spent / LASTS:.1%} of a core, first {seen.first} bytes, reloads {max(seen.reloads)}"
    print(f"{WATCHERS} watchers: {figures}")  # noqa: T201 - what the trial is run for
    assert len(seen.reloads) >= WATCHERS * LASTS / RELOAD_EVERY * 0.9 and bool(seen.redirects) != cdn
    assert max(seen.reloads) <= LARGEST_RELOAD < seen.first
    assert each <= MOST, figures


async def watched(live: Broadcast, service: str, measured: psutil.Process, seen: Seen, *, segments: bool) -> float:
    """All of them watch; the seconds of a core that it cost."""
    prefix = await live.part(0, SEGMENTS, objects={})
    async with httpx2.AsyncClient(base_url=service, timeout=30, limits=httpx2.Limits(max_connections=64)) as http:
        seen.first = len(await get(http, f"/media/stream/{live.stream}/{UNSIGNED}", 200))
        growing, before = asyncio.create_task(grow(live, prefix)), used(measured)
        await asyncio.gather(*(watch(http, live, seen, place / WATCHERS, segments=segments) for place in range(WATCHERS)))
        spent = used(measured) - before
        growing.cancel()
        await asyncio.gather(growing, return_exceptions=True)
    return spent
