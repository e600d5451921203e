"""Service processes on the real livekit-server, with a worker and a store; LiveKit tells the first of them everything."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import httpx2
import pytest

from app.livekit.egress.gateway import LiveKitRecorder
from app.livekit.egress.requests import Bucket
from app.livekit.requests import Requests
from app.livekit.room_gateway import open_client
from devstack.livekit_server import LiveKitServer
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.recordings.processes.recorded_talk import Servers
from tests.support.databases import Databases
from tests.support.killable_service import ForkServer, KillableService, open_fork_server
from tests.support.recording_servers import BUCKET
from tests.support.whole_service import KEY, SECRET


@pytest.fixture
async def servers(database_url: str, recording_livekit: LiveKitServer, bucket: StoreProcess) -> AsyncIterator[Servers]:
    """A database of the test's own, the session's LiveKit and store."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_client(recording_livekit.url, KEY, SECRET))
        there = Bucket(BUCKET, bucket.url, "us-east-1", bucket.access_key, bucket.secret_key)
        recorder = LiveKitRecorder(client, Requests(), there, {})
        pool = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1, max_size=4))
        yield Servers(recording_livekit.ws_url, recorder, bucket, pool)


@pytest.fixture(scope="package")
async def forks(databases: Databases, migrated_template: str, anyio_backend: str) -> AsyncIterator[ForkServer]:
    """One for all, over a database that serves as the model of every other."""
    with databases.temporary(migrated_template) as url:
        async with open_fork_server(url) as ready:
            yield ready


@pytest.fixture
async def service(
    forks: ForkServer, database_url: str, recording_livekit: LiveKitServer, recorder_port: int, bucket: StoreProcess
) -> AsyncIterator[KillableService]:
    """The one that LiveKit's webhooks reach."""
    async with _service(forks, recorder_port, database_url, recording_livekit, bucket) as ready:
        yield ready


@pytest.fixture
async def other(
    forks: ForkServer, database_url: str, recording_livekit: LiveKitServer, bucket: StoreProcess
) -> AsyncIterator[KillableService]:
    """Another process on the same database."""
    async with _service(forks, free_port(), database_url, recording_livekit, bucket) as ready:
        yield ready


@asynccontextmanager
async def _service(
    forks: ForkServer, port: int, database_url: str, livekit: LiveKitServer, bucket: StoreProcess
) -> AsyncIterator[KillableService]:
    store = {"s3_endpoint": bucket.url, "s3_access_key": bucket.access_key, "s3_secret_key": bucket.secret_key}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        one = KillableService(
            forks,
            port,
            database_url,
            livekit.url,
            http,
            store | {"recording_bucket": BUCKET, "recording_templates": "page=http://127.0.0.1:9/"},
        )
        await one.start()
        yield one
        await one.end()
