"""A store of the session, one that a test may break, and the adapter on either."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from app.storage.s3_store import S3Address, S3Store, open_store
from devstack.store import StoreProcess
from tests.support.recording_servers import BUCKET, store_of_recordings


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with store_of_recordings(tmp_path_factory.mktemp("store")) as process:
        yield process


@pytest.fixture
def calm(running: StoreProcess) -> Iterator[StoreProcess]:
    """The session's store, its knobs at rest again afterwards."""
    yield running
    running.turn(refuse_uploads=False, full=False, overloaded=False, latency=0, largest_copy=5 << 30)


def address_of(process: StoreProcess, **other: str) -> S3Address:
    return replace(S3Address(BUCKET, process.url, access_key=process.access_key, secret_key=process.secret_key), **other)  # type: ignore[arg-type]


class Counted(list[tuple[str, str]]):
    """Methods and outcomes, as the metrics hear of them."""

    def __call__(self, method: str, _seconds: float, outcome: str) -> None:
        self.append((method, outcome))


@asynccontextmanager
async def opened(process: StoreProcess, **other: str) -> AsyncIterator[tuple[S3Store, Counted]]:
    counted = Counted()
    async with open_store(address_of(process, **other), count=counted) as adapter:
        yield adapter, counted


@pytest.fixture
def prefix() -> str:
    """Keys of the test's own."""
    return f"{secrets.token_hex(6)}/"
