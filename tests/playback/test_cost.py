"""What it costs one process when many watch a public stream, with a name or without: `make trial-watchers` takes a minute for each."""

import asyncio
import time
from collections.abc import Sequence
from uuid import uuid4

import httpx2
import psutil
import pytest

from app.media.endpoint import PLAYLIST
from app.media.links import STREAM, Bearer, LinkKey
from app.storage.s3_store import S3Address, open_store
from devstack.store import StoreProcess
from domain.recordings.playing.addresses import UNSIGNED
from tests.media.film import SECONDS
from tests.media.watchers import LINK_KEY, RELOAD_EVERY, SEGMENT_EVERY, Seen, get, process, used
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


async def watch(http: httpx2.AsyncClient, link: str, seen: Seen, phase: float, *, segments: bool) -> None:
    """As hls.js does, from some moment on."""
    began = time.monotonic()
    times = [(RELOAD_EVERY * (phase + turn), True) for turn in range(int(LASTS / RELOAD_EVERY) + 1)]
    times += [(SEGMENT_EVERY * (phase + turn), False) for turn in range(int(LASTS / SEGMENT_EVERY) + 1)] * segments
    for due, reload in sorted(times):
        if due > LASTS:
            break
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        if reload:
            seen.reloads.append(len(await get(http, f"{link}?_HLS_skip=YES", 200)))
        else:
            await get(http, f"{link.removesuffix(f'/{PLAYLIST}')}/0/segment_{SEGMENTS - 1:05d}.ts", 302)
            seen.redirects += 1


async def grow(live: Broadcast, prefix: str) -> None:
    """The recorder goes on."""
    segments = SEGMENTS
    while True:
        await asyncio.sleep(SECONDS)
        segments += 1
        await live.list(prefix, segments)


# Without a CDN a process does more, and the same besides.
@pytest.mark.parametrize(("cdn", "named"), [(True, False), (True, True), (False, False)] if WHOLE else [(False, False)])
async def test_many_watch_a_stream_at_little_cost(on: Setup, store_process: StoreProcess, cdn: bool, named: bool) -> None:
    seen, more = Seen(), {"NCHAT_UNAUTHORIZED_ROLE": "anonymous"} | ({"NCHAT_STREAM_CDN_URL": "https://cdn.example"} if cdn else {})
    address = S3Address("recordings", store_process.url, access_key=store_process.access_key, secret_key=store_process.secret_key)
    async with open_store(address) as store, process(on.url, store_process, **more) as (service, measured):
        live = await broadcast(on, store)
        links = [named_link(live) if named else f"/media/stream/{live.stream}/{UNSIGNED}" for _ in range(WATCHERS)]
        spent = await watched(live, service, measured, seen, links, segments=not cdn)
    each = 1000 * spent / (len(seen.reloads) + seen.redirects)
    figures = f"{each:.2f} ms a request, {spent / LASTS:.1%} of a core, first {seen.first} bytes, reloads {max(seen.reloads)}"
    print(f"{WATCHERS} watchers{' with a name' * named}: {figures}")  # noqa: T201 - what the trial is run for
    assert len(seen.reloads) >= WATCHERS * LASTS / RELOAD_EVERY * 0.9 and bool(seen.redirects) != cdn
    assert max(seen.reloads) <= LARGEST_RELOAD < seen.first
    assert each <= MOST, figures


def named_link(live: Broadcast) -> str:
    """Of somebody, as GraphQL gives it."""
    token = LinkKey(LINK_KEY.encode()).sign(STREAM, live.stream, Bearer("user", str(uuid4()), int(time.time()) + 3600))
    return f"/media/stream/{live.stream}/{token}/{PLAYLIST}"


async def watched(live: Broadcast, service: str, measured: psutil.Process, seen: Seen, links: Sequence[str], *, segments: bool) -> float:
    """All of them watch; the seconds of a core that it cost."""
    prefix = await live.part(0, SEGMENTS, objects={})
    async with httpx2.AsyncClient(base_url=service, timeout=30, limits=httpx2.Limits(max_connections=64)) as http:
        seen.first = len(await get(http, f"/media/stream/{live.stream}/{UNSIGNED}", 200))
        growing, before = asyncio.create_task(grow(live, prefix)), used(measured)
        await asyncio.gather(*(watch(http, link, seen, place / WATCHERS, segments=segments) for place, link in enumerate(links)))
        spent = used(measured) - before
        growing.cancel()
        await asyncio.gather(growing, return_exceptions=True)
    return spent
