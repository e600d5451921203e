"""A call of three that can be recorded: LiveKit, its recorder and the store in the test's hands; and a call on the real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from starlette.applications import Starlette

from app.adapters.clock import SystemClock
from app.adapters.ffmpeg_joiner import FfmpegJoiner
from app.jobs import start_jobs
from app.livekit.egress.gateway import LiveKitRecorder
from app.livekit.egress.requests import Bucket
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.requests import Requests
from app.livekit.room_gateway import LiveKitRooms, open_client
from app.livekit.room_settings import RoomTimeouts
from app.livekit.webhook_endpoint import PATH, LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from app.storage.s3_store import S3Address, S3Store, open_store
from devstack import ffmpeg, media
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.life_cycle.live_service import KEY, SECRET
from tests.livekit.serving import serving
from tests.recordings.live_call import LiveCall
from tests.recordings.recorded_call import RecordedCall, begin_call
from tests.support.domain_setup import Setup
from tests.support.recording_servers import BUCKET, livekit_for_recorders, storage_of, store_of_recordings
from tests.support.valkey import valkey


@pytest.fixture
async def call(on: Setup) -> RecordedCall:
    """alice, who hosts, bob and carol talk in the channel."""
    return await begin_call(on)


@pytest.fixture(scope="session")
def recorder_port() -> int:
    """Where the webhooks of the real server go."""
    return free_port()


@pytest.fixture(scope="session")
def recorder_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of what livekit-server and its workers share."""
    with valkey(tmp_path_factory.mktemp("valkey")) as address:
        yield address


@pytest.fixture(scope="session")
def recording_livekit(recorder_redis: str, recorder_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    with livekit_for_recorders(recorder_redis, f"http://127.0.0.1:{recorder_port}{PATH}", tmp_path_factory.mktemp("livekit")) as server:
        yield server


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with store_of_recordings(tmp_path_factory.mktemp("store")) as process:
        yield process


@pytest.fixture
def stored(call: RecordedCall, own_store: S3Store) -> S3Store:
    """The call's world keeps its objects in the real store, and joins with the real program."""
    call.on.world = replace(call.on.world, store=own_store, joiner=FfmpegJoiner(ffmpeg.program(), own_store))
    return own_store


Workers = Callable[..., MediaWorker]


@pytest.fixture
def workers(recording_livekit: LiveKitServer, recorder_redis: str, bucket: StoreProcess, tmp_path: Path) -> Iterator[Workers]:
    """Starts a worker, which writes without media unless it is not `blank`; all end with the test."""
    started: list[MediaWorker] = []

    def start(*, blank: bool = True, slots: int | None = None) -> MediaWorker:
        log = tmp_path / f"worker-{len(started)}.log"
        started.append(
            media.start(livekit=recording_livekit, redis=recorder_redis, storage=storage_of(bucket), log=log, blank=blank, slots=slots)
        )
        return started[-1]

    yield start
    for worker in started:
        worker.stop()


@pytest.fixture
async def own_store(bucket: StoreProcess) -> AsyncIterator[S3Store]:
    """The store as the service reaches it."""
    async with open_store(S3Address(BUCKET, bucket.url, access_key=bucket.access_key, secret_key=bucket.secret_key)) as ready:
        yield ready


@pytest.fixture
async def live(on: Setup, recording_livekit: LiveKitServer, recorder_port: int, own_store: S3Store) -> AsyncIterator[LiveCall]:
    """alice and bob talk on the real server; the jobs run on the wall clock."""
    async with AsyncExitStack() as stack:
        clock, requests = SystemClock(), Requests()
        client = await stack.enter_async_context(open_client(recording_livekit.url, KEY, SECRET))
        world = replace(
            on.world,
            rooms=LiveKitRooms(client, requests, RoomTimeouts()),
            clock=clock,
            tokens=LiveKitJoinTokens(KEY, SECRET, ttl=600, clock=clock),
            recorder=LiveKitRecorder(client, requests, Bucket(BUCKET), {}),
            store=own_store,
        )
        ready = LiveCall(on, world, recording_livekit.ws_url)
        jobs = await start_jobs(world, await stack.enter_async_context(asyncpg.create_pool(on.url, min_size=1, max_size=2)))
        stack.push_async_callback(jobs.stop)
        endpoint = LiveKitWebhooks(WebhookSignatures({KEY: SECRET}), ready.receive, jobs.wake)
        await stack.enter_async_context(serving(Starlette(routes=[endpoint.route()]), recorder_port))
        await ready.begin()
        yield ready
        await asyncio.gather(*(person.disconnect() for person in ready.people))
