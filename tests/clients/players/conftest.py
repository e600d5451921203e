"""A page elsewhere that has the players, in Chromium, and a livekit-server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from devstack import livekit_server
from devstack.livekit_server import LiveKitServer
from devstack.store import StoreProcess
from tests.clients.npm_packages import installed
from tests.console.conftest import CHROMIUM, OFFLINE
from tests.livekit.serving import serving
from tests.livekit.targets import KEY, SECRET
from tests.support.recording_servers import store_of_recordings

SCRIPTS = ("dashjs/dist/modern/umd/dash.all.min.js", "livekit-client/dist/livekit-client.umd.js")
DOCUMENT = "<!doctype html><video muted autoplay></video>" + "".join(f"<script src=/{script}></script>" for script in SCRIPTS)


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """Where the page comes from: no address of the service's."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium`")

    async def page(_request: object) -> HTMLResponse:
        return HTMLResponse(DOCUMENT)

    packages = installed(Path(__file__).parent) / "node_modules"
    async with serving(Starlette(routes=[Route("/", page), Mount("/", StaticFiles(directory=packages))])) as address:
        yield address


@pytest.fixture
async def page(origin: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        page = await browser.new_page()
        page.set_default_timeout(40_000)
        await page.goto(origin)
        yield page
        await browser.close()


@pytest.fixture
def store_process(tmp_path: Path) -> Iterator[StoreProcess]:
    with store_of_recordings(tmp_path) as process:
        yield process


@pytest.fixture
def livekit(tmp_path: Path) -> Iterator[LiveKitServer]:
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    log = tmp_path / "livekit.log"
    server = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=None, log=log, room={"max_participants": 0})
    yield server
    server.stop()
