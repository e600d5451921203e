"""All that a stream needs, each as a process of its own: two of the service on one Redis, LiveKit and its workers on another, a store."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx2
import pytest

from bench.faults.services import Service
from devstack import ffmpeg, ingest, livekit_server, media
from devstack.demo.service import DemoService
from devstack.ingest import IngestWorker
from devstack.livekit_server import IngressPorts, LiveKitServer
from devstack.media import MediaWorker
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.hostile.attacked_service import environment
from tests.livekit.targets import KEY, SECRET
from tests.support.forked_commands import ForkedCommands
from tests.support.recording_servers import BUCKET, storage_of, store_of_recordings
from tests.support.valkey import valkey
from tests.support.whole_service import WEBHOOKS

# Nobody here is to be held up by a limit.
RATES: Final = {f"rate_limit_{name}": "100000/minute" for name in ("token", "destination", "health", "chat", "reaction", "anonymous_join")}


@dataclass(slots=True)
class Studio:
    """`redis` (`host:port`) is the service's own. Everybody's log lies in `folder`."""

    folder: Path
    database: "asyncpg.Connection[Any]"
    redis: str
    store: StoreProcess
    services: tuple[Service, Service]
    livekit: LiveKitServer
    livekit_redis: str
    ingest: IngestWorker
    http: httpx2.AsyncClient
    recorders: list[MediaWorker] = field(default_factory=list)

    @property
    def hosts(self) -> DemoService:
        """The process that hosts ask, and that LiveKit tells what happens."""
        return DemoService(f"http://{self.services[0].address}", self.http, "")

    @property
    def viewers(self) -> DemoService:
        """The process that viewers ask."""
        return DemoService(f"http://{self.services[1].address}", self.http, "")

    def recorder(self, *, blank: bool = False) -> MediaWorker:
        """One more worker that records; `blank` writes objects without media."""
        log, storage = self.folder / f"recorder-{secrets.token_hex(4)}.log", storage_of(self.store)
        self.recorders.append(media.start(livekit=self.livekit, redis=self.livekit_redis, storage=storage, log=log, blank=blank))
        return self.recorders[-1]

    def end_recorders(self) -> None:
        while self.recorders:
            self.recorders.pop().stop()

    def livekit_comes_back(self) -> None:
        """After its `stop`, at the addresses that it had."""
        port, ports = urlsplit(self.livekit.url).port, self.livekit.ingress
        assert port is not None and ports is not None
        self.livekit = start_livekit(self.livekit_redis, self.services[0].port, self.folder, port, ports)


@asynccontextmanager
async def open_studio(database_url: str, folder: Path, commands: ForkedCommands) -> AsyncIterator[Studio]:
    """All of it runs, but for recorders; skips the test where there is no livekit-server."""
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    async with AsyncExitStack() as stack:
        own, livekit_redis = (stack.enter_context(valkey(_folder(folder, name))) for name in ("own-redis", "livekit-redis"))
        store = stack.enter_context(store_of_recordings(folder))
        ports = free_port(), free_port()
        livekit = start_livekit(livekit_redis, ports[0], folder, free_port(), IngressPorts(free_port(), free_port()))
        stack.callback(livekit.stop)
        encoders = ingest.start(livekit=livekit, redis=livekit_redis, log=folder / "ingest.log")
        stack.callback(encoders.stop)
        given = environment(database_url, {**RATES, **_settings(own, store, livekit, ports[0])})
        first, second = (Service(port, given, folder / f"service-{port}.log", commands.run) for port in ports)
        for service in (first, second):
            stack.push_async_callback(service.kill)
            await service.start()
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
        studio = Studio(folder, database, own, store, (first, second), livekit, livekit_redis, encoders, http)
        stack.callback(lambda: studio.livekit.stop())
        stack.callback(studio.end_recorders)
        yield studio


def start_livekit(redis: str, service_port: int, folder: Path, port: int, ingress: IngressPorts) -> LiveKitServer:
    webhooks = f"http://127.0.0.1:{service_port}{WEBHOOKS}"
    log = folder / f"livekit-{secrets.token_hex(4)}.log"
    return livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=webhooks, log=log, redis=redis, port=port, ingress=ingress)


def _settings(redis: str, store: StoreProcess, livekit: LiveKitServer, port: int) -> dict[str, object]:
    return {
        "livekit_enabled": "true",
        "livekit_url": livekit.url,
        "livekit_public_url": livekit.ws_url,
        "redis_url": f"redis://{redis}",
        "s3_endpoint": store.url,
        "s3_access_key": store.access_key,
        "s3_secret_key": store.secret_key,
        "recording_bucket": BUCKET,
        "stream_bucket": BUCKET,
        "encryption_keys": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "ffmpeg": ffmpeg.program(),
        "destinations_on_loopback": "true",
        "public_url": f"http://127.0.0.1:{port}",
        "log_level": "debug",
    }


def _folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    return made
