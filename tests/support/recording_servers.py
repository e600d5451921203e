"""The real servers of a recording as fixtures of several folders start them: livekit-server for recorders, and a store with a bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from devstack import livekit_server, store
from devstack.livekit_server import IngressPorts, LiveKitServer
from devstack.store import StorageAddress, StoreProcess
from tests.livekit.targets import KEY, SECRET

BUCKET: Final = "recordings"


@contextmanager
def livekit_for_recorders(redis: str, webhook_url: str, folder: Path, ingress: IngressPorts | None = None) -> Iterator[LiveKitServer]:
    """On the Redis (`host:port`) where recorders find their work, and with `ingress` encoders; skips the test where there is no such
    program."""
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    server = livekit_server.start(
        api_key=KEY, api_secret=SECRET, webhook_url=webhook_url, log=folder / "livekit.log", redis=redis, ingress=ingress
    )
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def store_of_recordings(folder: Path) -> Iterator[StoreProcess]:
    """With its bucket, and a secret key that has to be escaped."""
    process = store.start(folder / "objects", access_key="access", secret_key="a/secret+key", bucket=BUCKET, log=folder / "store.log")
    try:
        yield process
    finally:
        process.stop()


def storage_of(process: StoreProcess) -> StorageAddress:
    """What a recorder writes to."""
    return StorageAddress(process.url, BUCKET, process.access_key, process.secret_key)
