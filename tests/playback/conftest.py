"""A service of a deployment with a real store, as its clients meet it; LiveKit is away: for watching nobody needs it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2
import pytest

from app.storage.s3_store import S3Address, S3Store, open_store
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.support.databases import Databases
from tests.support.domain_setup import Setup, setup
from tests.support.recording_servers import store_of_recordings
from tests.support.whole_service import WholeService, whole_service


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    with store_of_recordings(tmp_path_factory.mktemp("store")) as process:
        yield process


@dataclass(slots=True)
class Watched:
    """`browser` follows redirects, as one does."""

    service: WholeService
    browser: httpx2.AsyncClient
    on: Setup
    store: S3Store

    @property
    def url(self) -> str:
        return str(self.service.http.base_url).rstrip("/")


@pytest.fixture(scope="module")
async def watched(databases: Databases, migrated_template: str, store_process: StoreProcess) -> AsyncIterator[Watched]:
    """One for all tests of a file: each has a stream of its own, and leaves the people as they were."""
    port, keys = free_port(), {"access_key": store_process.access_key, "secret_key": store_process.secret_key}
    given = {f"s3_{name}": value for name, value in keys.items()} | {"s3_endpoint": store_process.url, "recording_bucket": "recordings"}
    given |= {"public_url": f"http://127.0.0.1:{port}", "link_key": "a key of this test, of no use elsewhere"}
    async with AsyncExitStack() as stack:
        url = stack.enter_context(databases.temporary(migrated_template))
        on = await stack.enter_async_context(setup(url))
        store = await stack.enter_async_context(open_store(S3Address("recordings", store_process.url, **keys)))  # type: ignore[arg-type]
        service = await stack.enter_async_context(whole_service(url, "http://127.0.0.1:9", port=port, **given))
        yield Watched(service, await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=True)), on, store)
