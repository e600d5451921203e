"""A livekit-server with a Redis of its own, a store with a bucket, who hears the webhooks, and a worker of each test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from devstack import media
from devstack.livekit_server import IngressPorts, LiveKitServer
from devstack.media import MediaWorker
from devstack.ports import free_port
from devstack.store import StorageAddress, StoreProcess
from tests.devstack.media.scene import Scene
from tests.devstack.media.told import Told
from tests.devstack.store.conftest import client_of
from tests.livekit.targets import KEY, SECRET
from tests.support.recording_servers import livekit_for_recorders, storage_of, store_of_recordings
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
    ports, webhooks = IngressPorts(free_port(), free_port()), f"http://127.0.0.1:{webhook_port}/"
    with livekit_for_recorders(redis, webhooks, tmp_path_factory.mktemp("livekit"), ports) as server:
        yield server


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with store_of_recordings(tmp_path_factory.mktemp("store")) as process:
        yield process


@pytest.fixture
def s3(store_process: StoreProcess) -> Any:
    return client_of(store_process)


@pytest.fixture(scope="session")
def own_storage(store_process: StoreProcess) -> StorageAddress:
    """What the worker writes to when a request names no storage."""
    return storage_of(store_process)


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
