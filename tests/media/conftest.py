"""A recording of a call of alice's, with bob in it, and the endpoint that serves it, the store in the test's hands."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import httpx2
import pytest
from starlette.applications import Starlette

from app.media.endpoint import MediaEndpoint
from app.media.library import Library
from app.media.links import LinkKey
from app.media.visitors import Visitors
from devstack.store import StoreProcess
from domain.recordings.playing.visible import Visible
from tests.media.library import Shelf, record
from tests.support.domain_setup import Setup
from tests.support.recording_servers import store_of_recordings


@pytest.fixture(scope="session")
def store_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    """A real store, with a bucket of recordings."""
    with store_of_recordings(tmp_path_factory.mktemp("store")) as process:
        yield process


@pytest.fixture
async def shelf(on: Setup) -> AsyncIterator[Shelf]:
    """The recording, ready, with two parts of 40 and 20 seconds, a file, and pictures."""
    key = LinkKey(b"a secret of this test")
    counted: list[tuple[str, str]] = []
    library = Library(Visible(on.world), on.store, lambda: on.clock.now().timestamp())
    endpoint = MediaEndpoint(Visitors(key, on.clock), library, lambda *told: counted.append(told))
    app = Starlette(routes=endpoint.routes(["https://app.example"]))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://media.example") as http:
        made = Shelf(on, key, http, *await record(on), counted)
        await made.part(0, segments=10, began_at=on.clock.now() - timedelta(seconds=100))
        await made.part(1, segments=5, began_at=on.clock.now() - timedelta(seconds=40))
        yield made
