"""What an answer holds to play is played in the page, with a real browser and nothing from outside."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import orjson
import pytest
from playwright.async_api import Page, Route, expect

from tests.console.conftest import Console
from tests.console.test_console import run, write

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

# Ends when the picture has moved.
PLAYED = """() => new Promise((resolve, reject) => {
  const video = document.querySelector('.player video');
  video.addEventListener('timeupdate', () => video.currentTime > 0.2 && resolve(video.videoWidth));
  video.play().catch(reject);
})"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a playlist of two seconds and its segments, as a recorder leaves them."""
    folder = tmp_path_factory.mktemp("recorded")
    source = ["-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=2"]
    encoded = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10", "-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *source, *encoded, str(folder / "playlist.m3u8")]
    subprocess.run(command, check=True)
    return folder


async def answering(page: Page, data: object) -> None:
    """The next queries are answered with this; introspection goes on as it was."""

    async def answer(route: Route) -> None:
        if "Watched" in (route.request.post_data or ""):
            await route.fulfill(body=orjson.dumps({"data": data}).decode(), content_type="application/json")
        else:
            await route.continue_()

    await page.route("**/v1/graphql", answer)


async def ask(page: Page) -> None:
    await write(page, "query Watched { nchat_channels { id } }")
    await expect(page.locator(".graphiql-tab-active")).to_contain_text("Watched")
    await run(page)


async def test_a_playlist_in_an_answer_is_played_and_only_that_opens_a_player(console: Console, recorded: Path) -> None:
    page, asked = console.page, list[str]()

    async def media(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        asked.append(name)
        await route.fulfill(path=recorded / name)

    await page.route("**/media/**", media)
    await answering(page, {"nchat_call_recordings": [{"id": "1", "title": "Daily", "playlist_url": None}]})
    await ask(page)
    await expect(page.locator(".graphiql-response")).to_contain_text("Daily")
    await expect(page.locator(".player")).to_have_count(0)
    link = f"http://{console.address}/media/playlist/playlist.m3u8"
    await answering(page, {"nchat_call_recordings": [{"id": "1", "title": "Weekly", "playlist_url": link}]})
    await ask(page)
    player = page.locator(".player")
    await expect(player.locator("option")).to_have_text(["Weekly"])
    assert await page.evaluate(PLAYED) == 160
    assert asked[0] == "playlist.m3u8" and "playlist0.ts" in asked
    await player.get_by_role("button", name="Close").click()
    await expect(player).to_have_count(0)
    assert (console.elsewhere, console.complaints) == ([], [])
