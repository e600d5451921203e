"""dash.js in Chromium, in a page elsewhere, plays a public stream by the address in its row: live, the whole, and not at all."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from app.storage.s3_store import S3Address, open_store
from devstack import ffmpeg
from devstack.ports import free_port
from devstack.store import StoreProcess
from tests.clients.players.pictures import plays, shows
from tests.media.film import SECONDS, film
from tests.playback.broadcast import broadcast
from tests.support.domain_setup import Setup
from tests.support.waiting import eventually
from tests.support.whole_service import WholeService, whole_service

pytestmark = pytest.mark.anyio
ASK = "query ($id: uuid!) { nchat_streams_by_pk(id: $id) { dash_url } }"
PLAY = """address => {
  if (window.player) player.destroy()
  window.wrong = []
  window.player = dashjs.MediaPlayer().create()
  // Or it asks a time server of its makers'.
  player.updateSettings({ streaming: { utcSynchronization: { enabled: false } } })
  player.on(dashjs.MediaPlayer.events.ERROR, event => wrong.push(event.error.message))
  player.initialize(document.querySelector('video'), address, true)
}"""
# Longer than a slow machine takes to come here: the edge of what is live is where the clock says.
SEGMENTS, SENT_FOR = 40, 60


async def dash_url(service: WholeService, stream_id: object) -> Any:
    return (await service.nobody().data(ASK, {"id": str(stream_id)}))["nchat_streams_by_pk"]["dash_url"]


async def test_live_then_the_whole_and_nothing_without_the_right(
    on: Setup, store_process: StoreProcess, origin: str, page: Page, tmp_path: Path
) -> None:
    port, keys = free_port(), {"access_key": store_process.access_key, "secret_key": store_process.secret_key}
    given = {f"s3_{name}": value for name, value in keys.items()} | {"s3_endpoint": store_process.url, "recording_bucket": "recordings"}
    given |= {"public_url": f"http://127.0.0.1:{port}", "link_key": "a key of this test, of no use elsewhere", "cors_origins": origin}
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(S3Address("recordings", store_process.url, **keys)))  # type: ignore[arg-type]
        opening = whole_service(on.url, "http://127.0.0.1:9", port=port, ffmpeg=ffmpeg.program(), streaming_dash=True, **given)
        service = await stack.enter_async_context(opening)
        live = await broadcast(on, store)
        on.clock.time -= timedelta(seconds=SENT_FOR)
        await live.part(0, SEGMENTS, objects=film(tmp_path / "red", "red", SEGMENTS))

        async def is_there() -> bool:
            return await dash_url(service, live.stream) is not None

        await eventually(is_there, seconds=30)
        address = await dash_url(service, live.stream)
        await page.evaluate(PLAY, address)
        await plays(page)
        await shows(page, "red")
        assert await page.evaluate("() => player.isDynamic() && document.querySelector('video').currentTime") > SENT_FOR / 2, "at the edge"
        await live.end()

        async def is_whole() -> bool:
            return 'type="static"' in (await service.http.get(address)).text

        await eventually(is_whole, seconds=30)
        await page.evaluate(PLAY, address)
        await plays(page, since=1)
        assert not await page.evaluate("() => player.isDynamic()")
        assert await page.evaluate("() => player.duration()") == pytest.approx(SEGMENTS * SECONDS, abs=1)
        assert await page.evaluate("() => wrong") == []
        await live.show("channel_members")
        await page.evaluate(PLAY, address)
        await page.wait_for_function("() => wrong.length > 0")
