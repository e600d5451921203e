"""A service with the demo data, and Chromium cut off from every other address."""

import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
import pytest
from playwright.async_api import Browser, Page, async_playwright

from app.asgi import create_app
from app.http.console import OfferedUser
from devstack.demo_users import DEMO_USERS, DemoUser
from tests.support.whole_service import settings, simulated
from tests.transport.fakes import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Names resolve to nothing, so the page lives on what the service itself sends.
OFFLINE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


@dataclass(slots=True)
class Console:
    """A page on the console, and whatever it asked for elsewhere or complained about."""

    page: Page
    address: str
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def _requested(self, url: str) -> None:
        if not url.startswith((f"http://{self.address}/", "data:", "blob:")):
            self.elsewhere.append(url)


@asynccontextmanager
async def served(database_url: str, users: Sequence[DemoUser]) -> AsyncIterator[str]:
    """The address of a service with LiveKit's rooms behind it, whose console offers these users; a deployment offers none."""
    jwt_secret = orjson.dumps({"type": "HS256", "key": secrets.token_urlsafe(32)}).decode()
    async with simulated(None) as (_, url):
        given = settings(database_url, url, jwt_secret=jwt_secret)
        offered = [OfferedUser(str(user.id), user.name, user.role, user.note) for user in users]
        async with serving(create_app(given, offered_users=offered)) as where:
            yield where


@pytest.fixture
async def address(demo_database_url: str) -> AsyncIterator[str]:
    async with served(demo_database_url, DEMO_USERS) as where:
        yield where


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for the tests of a file, which share a browser."""
    return "asyncio"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: `apt-get install chromium`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(browser: Browser, address: str) -> AsyncIterator[Console]:
    """The console as a newcomer finds it: the editor is there, the schema is read."""
    page = await browser.new_page(viewport={"width": 1440, "height": 860})
    page.set_default_timeout(30_000)
    console = Console(page, address)
    console.watch()
    await page.goto(f"http://{address}/console")
    await page.wait_for_selector(".graphiql-query-editor .view-line")
    yield console
    await page.close()


@pytest.fixture
async def console(browser: Browser, address: str) -> AsyncIterator[Console]:
    async with opened(browser, address) as ready:
        yield ready
