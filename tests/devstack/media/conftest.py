"""A livekit-server with a Redis of its own, a store with a bucket, who hears the webhooks, and a worker of each test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from devstack import livekit_server, media, store
from devstack.livekit_server import LiveKitServer
from devstack.media import MediaWorker
from devstack.processes import free_port
from devstack.store import StorageAddress, StoreProcess
from tests.devstack.media.scene import Scene
from tests.devstack.media.told import Told
from tests.devstack.store.conftest import client_of
from tests.livekit.targets import KEY, SECRET
from tests.support.valkey import valkey


@pytest.fixture(scope="session")
def webhook_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of what livekit-server and its workers share."""
    with valkey(tmp_path_factory.mktemp("valkey")) as address:
        yield address


@pytest.fixture(scope="session")
def livekit(redis: str, webhook_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    log = tmp_path_factory.mktemp("livekit") / "livekit.log"
    url = f"http://127.0.0.1:{webhook_port}/"
    server = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=url, log=log, redis=redis)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    folder = tmp_path_factory.mktemp("store")
    process = store.start(folder / "objects", access_key="access", secret_key="a/secret+key", log=folder / "store.log")
    client_of(process).create_bucket(Bucket="recordings")
    yield process
    process.stop()


@pytest.fixture
def s3(store_process: StoreProcess) -> Any:
    return client_of(store_process)


@pytest.fixture(scope="session")
def own_storage(store_process: StoreProcess) -> StorageAddress:
    """What the worker writes to when a request names no storage."""
    return StorageAddress(store_process.url, "recordings", store_process.access_key, store_process.secret_key)


@pytest.fixture
def worker(livekit: LiveKitServer, redis: str, own_storage: StorageAddress, tmp_path: Path) -> Iterator[MediaWorker]:
    """Without encoders: what is written is blank."""
    started = media.start(livekit=livekit, redis=redis, storage=own_storage, log=tmp_path / "worker.log", blank=True)
    yield started
    started.stop()


@pytest.fixture
async def scene(livekit: LiveKitServer, webhook_port: int, anyio_backend: str) -> AsyncIterator[Scene]:
    """A room of the test's own, whose people come and go as it says."""
    async with Told().listening(webhook_port) as told, api.LiveKitAPI(livekit.url, KEY, SECRET) as client:
        scene = Scene(livekit, client, told)
        await client.room.create_room(api.CreateRoomRequest(name=scene.room_name, empty_timeout=60, departure_timeout=1))
        yield scene
        await scene.over()
