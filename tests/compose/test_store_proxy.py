"""compose's way to the store, a real nginx with the very file: signed addresses are read, and nothing else is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from app.storage.s3_store import S3Address, S3Store, open_store
from devstack import store
from devstack.ports import free_port
from tests.support.doors import NO_NGINX, NO_STORE, compose_proxy, nginx

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(nginx() is None, reason=NO_NGINX)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A bucket with one object, and browsers at its public address, which is the proxy."""

    bucket: S3Store
    browser: httpx2.AsyncClient
    log: Path


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    process = store.start(tmp_path / "objects", access_key="access", secret_key="a/secret", bucket="recordings", log=tmp_path / "log")
    public = f"http://127.0.0.1:{(port := free_port())}"
    address = S3Address("recordings", process.url, public, access_key="access", secret_key="a/secret")
    try:
        async with (
            compose_proxy(NO_STORE, NO_STORE, free_port(), tmp_path, store=(process.url, port)),
            open_store(address) as bucket,
            httpx2.AsyncClient(base_url=public, timeout=30) as browser,
        ):
            await bucket.write("a/b.ts", b"0123456789", "video/mp2t")
            yield Shelf(bucket, browser, tmp_path / "nginx" / "access.log")
    finally:
        process.stop()


async def test_a_signed_address_is_read_and_its_signature_is_not_written_down(shelf: Shelf) -> None:
    address = shelf.bucket.link("a/b.ts", seconds=60)
    assert address.startswith(f"{shelf.browser.base_url}".rstrip("/") + "/recordings/a/b.ts?")
    assert (await shelf.browser.get(address)).content == b"0123456789"
    # As a page of another origin arrives, after the API's redirect, and seeks.
    part = await shelf.browser.get(address, headers={"range": "bytes=2-4", "origin": "null"})
    assert (part.status_code, part.content, part.headers["access-control-allow-origin"]) == (206, b"234", "*")
    log = shelf.log.read_text()
    assert "GET /recordings/a/b.ts 200" in log and "X-Amz" not in log


async def test_nothing_is_written_listed_or_read_without_a_signature(shelf: Shelf) -> None:
    address = shelf.bucket.link("a/b.ts", seconds=60)
    written = {method: (await shelf.browser.request(method, address, content=b"x")).status_code for method in ("PUT", "POST", "DELETE")}
    assert written == {"PUT": 405, "POST": 405, "DELETE": 405}
    unsigned = ["/recordings/a/b.ts", "/recordings?list-type=2", "/"]
    assert [(await shelf.browser.get(path)).status_code for path in unsigned] == [403, 403, 403]
    assert await shelf.bucket.read("a/b.ts") == b"0123456789"
