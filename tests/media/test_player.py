"""A recording plays in a browser with hls.js, on a page of another origin: while it runs, over a pause, after it has ended."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from playwright.async_api import Page, async_playwright
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from app.embed.endpoint import FILES
from app.media.endpoint import MediaEndpoint
from app.media.library import Library
from app.media.links import LinkKey
from app.media.visitors import Visitors
from app.storage.s3_store import S3Address, S3Store, open_store
from devstack.store import StoreProcess
from domain.recordings.names import playlist_key
from domain.recordings.playing.visible import Visible
from tests.console.conftest import CHROMIUM, OFFLINE
from tests.livekit.serving import serving
from tests.media.film import film, playlist
from tests.media.library import Shelf, record
from tests.support.domain_setup import ALICE, BOB, Setup

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `apt-get install chromium`")]
# Longer than what an update tells again.
BEFORE_PAUSE = 26


@dataclass(slots=True)
class Cinema:
    shelf: Shelf
    store: S3Store
    address: str
    page: Page
    asked: list[str]
    page_address: str

    async def part(self, index: int, objects: dict[str, bytes], segments: int, *, closed: bool) -> None:
        """A part whose recorder has uploaded so many segments."""
        began = self.shelf.on.clock.now()
        await self.shelf.part(index, segments=segments, began_at=began, status="processing" if closed else "recording", closed=closed)
        for name, body in objects.items():
            if name.endswith(".ts"):
                await self.store.write(await self.shelf.prefix(index) + name, body, "video/mp2t")
        await self.upload(index, segments)

    async def upload(self, index: int, segments: int) -> None:
        await self.store.write(playlist_key(await self.shelf.prefix(index)), playlist(segments), "application/x-mpegurl")

    async def open(self, who: UUID = ALICE) -> None:
        """The page of another origin, with this person's link."""
        link = quote(f"{self.address}{self.shelf.link(who)}", safe="")
        await self.page.goto(f"{self.page_address}/player.html?playlist={link}")


@pytest.fixture
async def cinema(on: Setup, store_process: StoreProcess) -> AsyncIterator[Cinema]:
    key = LinkKey(b"a secret of this test")
    keys = {"access_key": store_process.access_key, "secret_key": store_process.secret_key}
    pages = Starlette(
        routes=[Mount("/hls", StaticFiles(directory=FILES)), Mount("/", StaticFiles(directory=Path(__file__).parent / "page"))]
    )
    async with open_store(S3Address("recordings", store_process.url, **keys)) as store, serving(pages) as page_address:  # type: ignore[arg-type]
        routes = MediaEndpoint(Visitors(key, on.clock), Library(Visible(on.world), store, time.monotonic)).routes([page_address])
        async with serving(Starlette(routes=routes)) as address, async_playwright() as playwright:
            args = [*OFFLINE, "--autoplay-policy=no-user-gesture-required"]
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
            page, asked = await browser.new_page(), list[str]()
            page.set_default_timeout(20_000)
            page.on("request", lambda request: asked.append(request.url))
            # The rows alone: no client of the shelf's own is needed.
            shelf = Shelf(on, key, None, *await record(on), [])  # type: ignore[arg-type]
            yield Cinema(shelf, store, address, page, asked, page_address)
            await browser.close()


async def test_it_plays_and_seeks_while_it_runs_and_afterwards(cinema: Cinema, tmp_path: Path) -> None:
    on, page = cinema.shelf.on, cinema.page
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'recording'")
    await cinema.part(0, film(tmp_path / "red", "red", BEFORE_PAUSE), BEFORE_PAUSE, closed=True)
    await cinema.part(1, film(tmp_path / "blue", "blue", 5), 2, closed=False)
    await cinema.open()
    await page.wait_for_function(f"hls.levels[0]?.details?.fragments.length === {BEFORE_PAUSE + 2}")
    assert await page.evaluate("at(1)") == "red"

    # A player that is further behind than half of what an update tells asks for the whole: so it goes on from now.
    await cinema.upload(1, 5)
    await page.wait_for_function(f"merged.some((one) => one.skipped > 0 && one.known === {BEFORE_PAUSE + 5})")
    assert await page.evaluate(f"at({4 * BEFORE_PAUSE + 14})") == "blue"
    assert await page.evaluate(f"at({4 * BEFORE_PAUSE - 3})") == "red"

    await on.database.execute(
        "UPDATE nchat_call_recording_parts SET status = 'ready', segments = CASE index WHEN 0 THEN $1 ELSE 5 END", BEFORE_PAUSE
    )
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'ready'")
    await page.wait_for_function("hls.levels[0].details.live === false")
    assert await page.evaluate("at(2)") == "red"
    assert await page.evaluate(f"at({4 * BEFORE_PAUSE + 1})") == "blue"
    assert abs(await page.evaluate("video.duration") - 4 * (BEFORE_PAUSE + 5)) < 1
    assert await page.evaluate("errors") == []
    assert any("_HLS_skip=YES" in url for url in cinema.asked)


async def test_a_right_that_is_lost_ends_the_playing(cinema: Cinema, tmp_path: Path) -> None:
    on, page = cinema.shelf.on, cinema.page
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'recording'")
    await cinema.part(0, film(tmp_path / "red", "red", 3), 3, closed=False)
    await cinema.open(BOB)
    await page.wait_for_function("hls.levels[0]?.details?.fragments.length === 3")
    await on.database.execute("UPDATE nchat_call_participants SET status = 'kicked' WHERE user_id = $1", BOB)
    await page.wait_for_function("errors.some((told) => told.startsWith('levelLoadError'))")
