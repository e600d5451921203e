"""The embedded page in a real browser, in a frame of another page: it plays, seeks back, returns to the edge, and says why it stops."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Frame, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.embed.endpoint import EmbedPages
from app.embed.headers import page_headers
from app.media.links import LinkKey
from app.media.visitors import Visitors
from domain.recordings.playing.visible import Visible
from tests.console.conftest import CHROMIUM, OFFLINE
from tests.livekit.serving import serving
from tests.media.film import film
from tests.playback.broadcast import Broadcast, broadcast
from tests.playback.conftest import Watched

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `apt-get install chromium`")]
# The picture's colour where it is played, through the page's own player.
COLOUR = """() => {
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = 1
  const context = canvas.getContext('2d')
  context.drawImage(document.querySelector('video'), 0, 0, 1, 1)
  const [red, , blue] = context.getImageData(0, 0, 1, 1).data
  return red > 150 && blue < 90 ? 'red' : blue > 150 && red < 90 ? 'blue' : 'neither'
}"""
MOVES = "since => document.querySelector('video').currentTime > since + 0.3 && !document.querySelector('video').seeking"
SEEK = "seconds => { document.querySelector('video').currentTime = seconds }"
PLACE = "() => document.querySelector('video').currentTime"


@dataclass(slots=True)
class Cinema:
    """A page elsewhere that shows the stream by its embed_code."""

    watched: Watched
    page: Page
    elsewhere: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def open(self, live: Broadcast) -> Frame:
        asked = "query ($id: uuid!) { nchat_streams_by_pk(id: $id) { embed_code } }"
        found = await self.watched.service.nobody().data(asked, {"id": str(live.stream)})
        await self.page.goto(self.elsewhere)
        await self.page.evaluate("code => { document.body.innerHTML = code }", found["nchat_streams_by_pk"]["embed_code"])
        handle = await self.page.wait_for_selector("iframe")
        frame = None if handle is None else await handle.content_frame()
        assert frame is not None
        return frame


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield browser
        await browser.close()


@pytest.fixture
async def cinema(watched: Watched, browser: Browser) -> AsyncIterator[Cinema]:
    async def empty(_request: object) -> HTMLResponse:
        return HTMLResponse("<!doctype html><body></body>")

    async with serving(Starlette(routes=[Route("/", empty)])) as elsewhere:
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        made = Cinema(watched, page, elsewhere)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        page.on("console", lambda told: made.complaints.append(told.text) if "Content Security Policy" in told.text else None)
        page.on("request", lambda request: made.asked.append(request.url))
        yield made
        await page.close()


async def colour_at(frame: Frame, seconds: float) -> str:
    """What is played a moment after this one, sought as the seek bar seeks."""
    await frame.evaluate(SEEK, seconds)
    await frame.wait_for_function(MOVES, arg=seconds)
    return str(await frame.evaluate(COLOUR))


async def test_live_in_another_page_until_the_right_is_lost(cinema: Cinema, tmp_path: Path) -> None:
    watched = cinema.watched
    live = await broadcast(watched.on, watched.store, status="starting")
    frame = await cinema.open(live)
    await expect(frame.locator("#sentence")).to_have_text("The stream begins in a moment.")
    await live.part(0, 6, closed=True, objects=film(tmp_path / "red", "red", 6))
    await live.part(1, 4, objects=film(tmp_path / "blue", "blue", 4))
    await watched.on.database.execute("UPDATE nchat_streams SET status = 'live' WHERE id = $1", live.stream)
    # By itself, at the edge; back to the start; and to the edge again.
    await frame.wait_for_function(MOVES, arg=24)
    assert await frame.evaluate(COLOUR) == "blue" and await frame.locator("#sentence").inner_text() == ""
    assert await colour_at(frame, 1) == "red"
    await frame.click("#edge")
    await frame.wait_for_function(MOVES, arg=24)
    await live.show("channel_members")
    words = "There is no such stream, or it is not for everybody."
    await expect(frame.locator("#sentence")).to_have_text(words, timeout=20_000)
    assert await frame.locator("video").is_hidden()
    assert cinema.complaints == []
    assert {url.split("/")[2] for url in cinema.asked if url.startswith("http")} == {
        cinema.elsewhere.split("/")[2],
        watched.url.split("/")[2],
        watched.store.link("x", seconds=1).split("/")[2],
    }


async def test_the_whole_from_its_start(cinema: Cinema, tmp_path: Path) -> None:
    """Also while its playlist does not end yet."""
    watched = cinema.watched
    live = await broadcast(watched.on, watched.store)
    await live.part(0, 6, closed=True, objects=film(tmp_path / "red", "red", 6))
    await live.part(1, 2, objects=film(tmp_path / "blue", "blue", 2))
    await watched.on.database.execute("UPDATE nchat_streams SET status = 'ended' WHERE id = $1", live.stream)
    frame = await cinema.open(live)
    await frame.wait_for_function(MOVES, arg=0)
    assert await frame.evaluate(PLACE) < 12 and await frame.evaluate(COLOUR) == "red"
    assert await colour_at(frame, 26) == "blue"
    assert cinema.complaints == []


async def test_no_other_page_shows_it(cinema: Cinema) -> None:
    watched = cinema.watched
    live = await broadcast(watched.on, watched.store)
    await live.part(0, 2)
    visitors = Visitors(LinkKey(b"a secret of this test"), watched.on.clock, "anonymous")
    pages = EmbedPages(visitors, Visible(watched.on.world), page_headers([], ["https://chat.example"]))
    async with serving(Starlette(routes=pages.routes())) as address:
        await cinema.page.goto(cinema.elsewhere)
        async with cinema.page.expect_event("console", lambda told: "frame-ancestors" in told.text):
            await cinema.page.evaluate("src => { document.body.innerHTML = `<iframe src=${src}>` }", f"{address}/embed/{live.stream}")
    assert not any("/media/" in url or "player" in url for url in cinema.asked)
