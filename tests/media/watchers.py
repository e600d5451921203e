"""Many who watch one long recording that still runs, at one process of the service: what a reload weighs, and what all of it costs."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx2
import psutil

from app.media.links import Bearer, LinkKey
from app.storage.s3_store import S3Address, S3Store, open_store
from devstack.ports import free_port
from devstack.store import StoreProcess
from domain.recordings.names import playlist_key
from tests.media.film import SECONDS, playlist
from tests.media.library import Shelf, record
from tests.support.domain_setup import Setup, newcomers
from tests.support.waiting import eventually

LINK_KEY = "a key of this trial, of no use elsewhere"
HOURS, PARTS = 8, 4
SEGMENTS = HOURS * 3600 // SECONDS // PARTS
# As hls.js does with this playlist, and each segment once.
RELOAD_EVERY, SEGMENT_EVERY = 6.0, float(SECONDS)
PATIENCE = 5


@dataclass(slots=True)
class Seen:
    """Sizes of bodies in bytes, the share of a core that the process used, and how many requests it answered a second."""

    first: int = 0
    reloads: list[int] = field(default_factory=list)
    redirects: int = 0
    core: float = 0.0
    per_second: float = 0.0


async def long_recording(on: Setup, store: S3Store, watchers: int) -> tuple[Shelf, Sequence[UUID]]:
    """Eight hours of it, in parts, the last of which grows; and those who were in the call."""
    people = await newcomers(on, watchers)
    call, recording = await record(on)
    await on.database.execute("UPDATE nchat_calls SET status = 'connected', connected_at = now(), ended_at = NULL WHERE id = $1", call)
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'recording', file_path = NULL WHERE id = $1", recording)
    rows = [(call, person) for person in people]
    await on.database.executemany(
        "INSERT INTO nchat_call_participants (call_id, user_id, status, joined_at) VALUES ($1, $2, 'left', now())", rows
    )
    shelf = Shelf(on, LinkKey(LINK_KEY.encode()), None, call, recording, [])  # type: ignore[arg-type]
    for index in range(PARTS):
        last = index == PARTS - 1
        status = "recording" if last else "ready"
        await shelf.part(index, segments=SEGMENTS, began_at=on.clock.now(), status=status, closed=not last)
        await store.write(playlist_key(await shelf.prefix(index)), playlist(SEGMENTS), "application/x-mpegurl")
    return shelf, people


@asynccontextmanager
async def process(database_url: str, store: StoreProcess, **more: str) -> AsyncIterator[tuple[str, psutil.Process]]:
    """The service as it is deployed, one process, and its address; `more` are further variables of its environment."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NCHAT_")}
    given = {
        "NCHAT_DATABASE_URL": database_url,
        "NCHAT_ADMIN_SECRET": "a secret of this trial",
        "NCHAT_LINK_KEY": LINK_KEY,
        "NCHAT_LIVEKIT_URL": "http://127.0.0.1:9",
        "NCHAT_LIVEKIT_API_SECRET": "a-secret-for-tests-only-0123456789abcdef",
        "NCHAT_S3_ENDPOINT": store.url,
        "NCHAT_S3_ACCESS_KEY": store.access_key,
        "NCHAT_S3_SECRET_KEY": store.secret_key,
        "NCHAT_RECORDING_BUCKET": "recordings",
    }
    with tempfile.TemporaryFile("w+") as log:
        command = (sys.executable, "-m", "app.cli", "serve", "--port", str(port))
        running = await asyncio.create_subprocess_exec(*command, env=kept | given | more, stdout=log, stderr=log)
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                await eventually(lambda: _serves(http), seconds=60)
            yield f"http://127.0.0.1:{port}", psutil.Process(running.pid)
        except AssertionError as error:
            log.seek(0)
            error.add_note(log.read()[-2000:])
            raise
        finally:
            running.terminate()
            await running.wait()


async def _serves(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == 200
    except httpx2.TransportError:
        return False


async def watched(on: Setup, store_process: StoreProcess, *, watchers: int, seconds: float) -> Seen:
    """So many watch for so long."""
    address = S3Address("recordings", store_process.url, access_key=store_process.access_key, secret_key=store_process.secret_key)
    async with open_store(address) as store, process(on.url, store_process) as (service, measured):
        shelf, people = await long_recording(on, store, watchers)
        seen = Seen()
        links = [_link(shelf, person) for person in people]
        async with httpx2.AsyncClient(base_url=service, timeout=30, limits=httpx2.Limits(max_connections=64)) as http:
            for link in links:
                seen.first = len(await get(http, link, 200))
            growing = asyncio.create_task(_grow(shelf, store))
            before, began = used(measured), time.monotonic()
            await asyncio.gather(*(_watch(http, link, seen, seconds, place / watchers) for place, link in enumerate(links)))
            spent = time.monotonic() - began
            seen.core = (used(measured) - before) / spent
            seen.per_second = (len(seen.reloads) + seen.redirects) / spent
            growing.cancel()
            await asyncio.gather(growing, return_exceptions=True)
        return seen


def _link(shelf: Shelf, person: UUID) -> str:
    token = shelf.key.sign("playlist", shelf.recording, Bearer("user", str(person), int(time.time()) + 3600))
    return f"/media/playlist/{shelf.recording}/{token}"


async def get(http: httpx2.AsyncClient, path: str, expected: int) -> bytes:
    """As a player: whoever is told to come again later does, which a machine that is busy with other things says now and then."""
    for _ in range(PATIENCE):
        answer = await http.get(path)
        if answer.status_code != 503:
            break
        await asyncio.sleep(float(answer.headers["retry-after"]))
    assert answer.status_code == expected, f"{answer.status_code} {answer.text}"
    return answer.content


async def _grow(shelf: Shelf, store: S3Store) -> None:
    """The recorder goes on."""
    key, segments = playlist_key(await shelf.prefix(PARTS - 1)), SEGMENTS
    while True:
        await asyncio.sleep(SECONDS)
        segments += 1
        await store.write(key, playlist(segments), "application/x-mpegurl")


async def _watch(http: httpx2.AsyncClient, link: str, seen: Seen, seconds: float, phase: float) -> None:
    """Reloads and segments at their times, spread over all who watch."""
    began = time.monotonic()
    times = sorted(
        [(RELOAD_EVERY * (phase + turn), True) for turn in range(int(seconds // RELOAD_EVERY) + 1)]
        + [(SEGMENT_EVERY * (phase + turn), False) for turn in range(int(seconds // SEGMENT_EVERY) + 1)]
    )
    for place, (due, reload) in enumerate(times):
        if due > seconds:
            break
        await asyncio.sleep(max(0.0, began + due - time.monotonic()))
        if reload:
            seen.reloads.append(len(await get(http, f"{link}?_HLS_skip=YES", 200)))
        else:
            await get(http, f"{link}/{PARTS - 1}/segment_{SEGMENTS - 30 + place:05d}.ts", 302)
            seen.redirects += 1


def used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
