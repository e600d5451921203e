"""The whole service repackages a public stream: everybody reads it by the address in its row, and nobody does when it is not public."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.storage.s3_store import S3Address, open_store
from devstack import ffmpeg
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.media.film import film
from tests.playback.broadcast import broadcast
from tests.playback.conftest import Watched
from tests.support.domain_setup import ALICE, setup
from tests.support.waiting import eventually
from tests.support.whole_service import whole_service

pytestmark = pytest.mark.anyio
ASK = "query ($id: uuid!) { nchat_streams_by_pk(id: $id) { dash_url } }"
NARROW = 'mutation ($id: uuid!) { update_nchat_streams_by_pk(pk_columns: {id: $id}, _set: {visibility: "channel_members"}) { id } }'
STORE = {"recording_bucket": "recordings", "link_key": "a key of this test, of no use elsewhere", "streaming_dash": True}


@pytest.fixture
async def watched(database_url: str, store_process: StoreProcess) -> AsyncIterator[Watched]:
    """A service that repackages."""
    port, keys = free_port(), {"access_key": store_process.access_key, "secret_key": store_process.secret_key}
    given = {f"s3_{name}": value for name, value in keys.items()} | {"s3_endpoint": store_process.url} | STORE
    given |= {"public_url": f"http://127.0.0.1:{port}", "ffmpeg": ffmpeg.program()}
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(setup(database_url))
        store = await stack.enter_async_context(open_store(S3Address("recordings", store_process.url, **keys)))  # type: ignore[arg-type]
        service = await stack.enter_async_context(whole_service(database_url, "http://127.0.0.1:9", port=port, **given))
        yield Watched(service, await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=True)), on, store)


async def test_from_the_row_to_the_bytes(watched: Watched, tmp_path: Path) -> None:
    live = await broadcast(watched.on, watched.store)
    await live.part(0, 3, objects=film(tmp_path / "red", "red", 3))
    nobody = watched.service.nobody()
    seen: dict[str, Any] = {}

    async def there() -> bool:
        seen.update((await nobody.data(ASK, {"id": str(live.stream)}))["nchat_streams_by_pk"])
        return seen["dash_url"] is not None

    await eventually(there, seconds=30)
    assert seen["dash_url"] == f"{watched.url}/media/dash/{live.stream}/public.mpd"
    manifest = await watched.browser.get(seen["dash_url"])
    assert (manifest.status_code, manifest.headers["content-type"]) == (200, "application/dash+xml")
    first = str(httpx2.URL(seen["dash_url"]).join("public.mpd/0/init-stream0.m4s"))
    assert "public.mpd/0/init-stream$RepresentationID$.m4s" in manifest.text
    assert (await watched.browser.get(first)).content[4:8] == b"ftyp"
    for name in ("manifest.mpd", "init-stream0.mp4", "..%2Fplaylist.m3u8", "chunk-stream0-1.m4s"):
        assert (await watched.browser.get(first.replace("init-stream0.m4s", name))).status_code == 404
    assert (await watched.browser.get(first.replace("/0/init", "/1/init"))).status_code == 404
    await watched.service.person(ALICE).data(NARROW, {"id": str(live.stream)})
    row = (await watched.service.person(ALICE).data(ASK, {"id": str(live.stream)}))["nchat_streams_by_pk"]
    assert row == {"dash_url": None}
    assert [(await watched.browser.get(one)).status_code for one in (seen["dash_url"], first)] == [404, 404]
