"""A viewer's browser: headless Chromium on the page that the service makes of a stream, watched from outside as a person watches it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Page, async_playwright

from devstack.demo_stream.colours import SHOWN

# Names resolve to nothing: the page lives on what the service and the store send.
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE: Final = 60.0
PLACE: Final = "() => document.querySelector('video').currentTime"
MOVES: Final = "since => { const video = document.querySelector('video'); return video.currentTime > since + 0.1 && !video.seeking }"
SEEK: Final = "seconds => { document.querySelector('video').currentTime = seconds }"
SHOWS: Final = f"wanted => ({SHOWN})() === wanted"
# Frame after frame until one has the last of these colours: when each of them came, in the order in which they came.
CHANGES: Final = f"""colours => new Promise(done => {{
  const shown = {SHOWN}, video = document.querySelector('video'), came = []
  const look = (_, frame) => {{
    const colour = shown()
    if (colours.includes(colour) && colour !== came.at(-1)?.[0]) came.push([colour, frame.mediaTime])
    colour === colours.at(-1) ? done(came) : video.requestVideoFrameCallback(look)
  }}
  video.requestVideoFrameCallback(look)
}})"""
# A page of a frontend's own, which plays a recording as docs/clients.md tells it to.
PLAYER: Final = """<!doctype html>
<video muted></video>
<script src="/embed/hls.light.min.js"></script>
<script>
  const hls = new Hls(), video = document.querySelector('video')
  hls.loadSource(PLAYLIST)
  hls.attachMedia(video)
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play())
</script>"""


class Screen:
    """One page after the other. `service` is its address, `asked` what pages asked for, `complaints` what went wrong in them."""

    def __init__(self, page: Page, service: str) -> None:
        self._page, self._service = page, service
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if "Content Security Policy" in said.text else None)

    async def open_stream(self, stream_id: str) -> None:
        """The embedded page."""
        await self._page.goto(f"{self._service}/embed/{stream_id}")

    async def open_recording(self, playlist_url: str) -> None:
        """A page of a frontend that plays this. It stands at the service's address, so that the browser knows where it comes from."""
        await self._page.goto(f"{self._service}/healthz")
        await self._page.set_content(PLAYER.replace("PLAYLIST", json.dumps(playlist_url)))

    async def sentence(self) -> str:
        """What the page says in place of a picture."""
        return await self._page.locator("#sentence").inner_text()

    async def plays(self, since: float = 0) -> float:
        """Waits until it plays beyond this place; the place where it is."""
        await self._page.wait_for_function(MOVES, arg=since)
        return await self.place()

    async def place(self) -> float:
        return float(await self._page.evaluate(PLACE))

    async def shows(self, colour: str) -> None:
        """Waits until it does."""
        await self._page.wait_for_function(SHOWS, arg=colour)

    async def changes(self, *colours: str) -> Sequence[tuple[str, float]]:
        """Plays on until the last of these colours: those that came, each with its moment on the player's time line."""
        came = await self._page.evaluate(CHANGES, colours)
        return [(colour, float(seconds)) for colour, seconds in came]

    async def seek(self, seconds: float) -> float:
        """Goes there as the seek bar does; the place where it plays on."""
        await self._page.evaluate(SEEK, seconds)
        return await self.plays(seconds)

    async def to_the_edge(self) -> None:
        """By the page's own button."""
        await self._page.click("#edge")


@asynccontextmanager
async def cinema(chromium: str, service: str) -> AsyncIterator[tuple[Screen, Screen]]:
    """Two screens of one browser, which is there inside the block."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            pages = (await browser.new_page(), await browser.new_page())
            for page in pages:
                page.set_default_timeout(PATIENCE * 1000)
            yield Screen(pages[0], service), Screen(pages[1], service)
        finally:
            await browser.close()
