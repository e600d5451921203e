"""The embedded page: what it says of a stream that does not play, what it may load, and who may show it."""

import html
import re
from uuid import uuid4

import pytest

from app.embed.headers import page_headers
from tests.playback.broadcast import broadcast
from tests.playback.conftest import Watched

pytestmark = pytest.mark.anyio


def said(text: str) -> str:
    """The sentence in the page."""
    found = re.search(r'<p id="sentence" role="status">(.*?)</p>', text)
    assert found is not None, text
    return html.unescape(found[1])


@pytest.mark.parametrize(
    ("status", "segments", "state", "words"),
    [
        ("scheduled", None, "waiting", "has not started yet"),
        ("starting", 2, "soon", "in a moment"),
        ("live", 0, "soon", "in a moment"),
        ("live", 2, "live", ""),
        ("ending", 2, "live", ""),
        ("ended", 2, "whole", ""),
        ("ended", 0, "over", "is over"),
        ("cancelled", None, "refused", "no such stream"),
    ],
)
async def test_each_state_in_words(watched: Watched, status: str, segments: int | None, state: str, words: str) -> None:
    live = await broadcast(watched.on, watched.store, status=status)
    if segments is not None:
        await live.part(0, segments)
    page = await watched.browser.get(f"{watched.url}/embed/{live.stream}")
    shown = await watched.browser.get(f"{watched.url}/embed/{live.stream}/showing")
    assert page.status_code == shown.status_code == (404 if state == "refused" else 200)
    assert words in said(page.text) and bool(words) == bool(said(page.text))
    playlist = f"../media/stream/{live.stream}/public.m3u8" if state in ("live", "whole") else ""
    assert shown.json() == {"showing": state, "sentence": said(page.text), "playlist": playlist}
    assert f'data-look="{live.stream}/showing" data-playlist="{playlist}" data-showing="{state}"' in page.text
    assert ("Ask &lt;me&gt; anything" in page.text) == (state != "refused") and "<me>" not in page.text


async def test_absent_and_hidden_look_alike(watched: Watched) -> None:
    hidden = await broadcast(watched.on, watched.store, "invite_only")
    await hidden.part(0, 2)
    pages = [await watched.browser.get(f"{watched.url}/embed/{id}") for id in (hidden.stream, uuid4())]
    assert len({re.sub(r"[0-9a-f-]{36}", "", page.text) for page in pages}) == 1
    assert [page.status_code for page in pages] == [404, 404]
    assert (await watched.browser.get(f"{watched.url}/embed/{hidden.stream}?link=1.user.-.AAAAAAAAAAAAAAAAAAAAAA")).status_code == 404


async def test_a_link_that_is_over_hides_nothing_that_is_public(watched: Watched) -> None:
    live = await broadcast(watched.on, watched.store)
    await live.part(0, 2)
    over = "link=1.user.-.AAAAAAAAAAAAAAAAAAAAAA"
    page = await watched.browser.get(f"{watched.url}/embed/{live.stream}?{over}")
    shown = await watched.browser.get(f"{watched.url}/embed/{live.stream}/showing?{over}")
    playlist = f"../media/stream/{live.stream}/public.m3u8"
    assert (page.status_code, shown.json()["playlist"]) == (200, playlist) and f'data-playlist="{playlist}"' in page.text
    await live.show("channel_members")
    assert (await watched.browser.get(f"{watched.url}/embed/{live.stream}/showing?{over}")).status_code == 404


async def test_the_page_loads_nothing_from_elsewhere_but_segments(watched: Watched) -> None:
    live = await broadcast(watched.on, watched.store)
    page = await watched.browser.get(f"{watched.url}/embed/{live.stream}")
    store = re.escape(re.match(r"https?://[^/]+", watched.store.link("x", seconds=1))[0])  # type: ignore[index]
    policy = page.headers["content-security-policy"]
    assert re.fullmatch(
        rf"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {store}; media-src 'self' blob: {store}; "
        r"base-uri 'none'; form-action 'none'; frame-ancestors \*",
        policy,
    )
    assert (page.headers["cache-control"], page.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "<script>" not in page.text and "style=" not in page.text
    for name, kind in (("hls.light.min.js", "text/javascript"), ("player.js", "text/javascript"), ("player.css", "text/css")):
        file = await watched.browser.get(f"{watched.url}/embed/{name}")
        assert (file.status_code, file.headers["content-type"].partition(";")[0]) == (200, kind)
        assert (file.headers["x-content-type-options"], file.headers["cache-control"]) == ("nosniff", "public, max-age=600")
    assert "Apache License" in (await watched.browser.get(f"{watched.url}/embed/hls.LICENSE")).text
    assert (await watched.browser.get(f"{watched.url}/embed/endpoint.py")).status_code == 404


def test_who_may_frame_it() -> None:
    def framing(*origins: str) -> str:
        return page_headers(["https://s.example/bucket/x?y"], origins)["Content-Security-Policy"].rpartition("frame-ancestors ")[2]

    assert framing() == framing("*") == framing("https://a.example", "*") == "*"
    assert framing("https://a.example", "https://b.example:8443") == "'self' https://a.example https://b.example:8443"


def test_segments_may_come_from_the_store_and_the_cdn() -> None:
    policy = page_headers(["https://s.example/bucket/x?y", "https://cdn.example/path"], ())["Content-Security-Policy"]
    assert "connect-src 'self' https://cdn.example https://s.example;" in policy


async def test_away_is_no_refusal(watched: Watched) -> None:
    live = await broadcast(watched.on, watched.store)
    await watched.on.database.execute("ALTER TABLE nchat_streams RENAME TO away")
    page = await watched.browser.get(f"{watched.url}/embed/{live.stream}")
    await watched.on.database.execute("ALTER TABLE away RENAME TO nchat_streams")
    assert page.status_code == 503 and "trying again" in said(page.text)
    assert (await watched.browser.get(f"{watched.url}/embed/{live.stream}")).status_code == 200
