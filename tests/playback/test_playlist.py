"""A stream's playlist: while it is live and afterwards, from us or from the CDN, and made once for all who have no name."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.applications import Starlette

from app.media import bodies
from app.media.cdn import Cdn
from app.media.endpoint import MediaEndpoint
from app.media.library import Library
from app.media.links import NOBODY, STREAM, Bearer, LinkKey
from app.media.visitors import Visitors
from domain.recordings.playing.addresses import UNSIGNED
from domain.recordings.playing.visible import Visible
from permissions.session import Session
from tests.playback.broadcast import Broadcast, broadcast
from tests.support.domain_setup import ALICE, BOB, Setup, session

pytestmark = pytest.mark.anyio
CDN = "https://cdn.example/media"


@dataclass(slots=True)
class Endpoint:
    live: Broadcast
    http: httpx2.AsyncClient
    key: LinkKey

    def link(self, who: UUID | None = BOB, role: str = "user") -> str:
        expiry = int(self.live.on.clock.now().timestamp()) + 3600
        return f"/media/stream/{self.live.stream}/{self.key.sign(STREAM, self.live.stream, Bearer(role, str(who or NOBODY), expiry))}"

    @property
    def unsigned(self) -> str:
        return f"/media/stream/{self.live.stream}/{UNSIGNED}"

    async def get(self, path: str) -> str:
        """The playlist's text, its own link in it written LINK."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text.replace(path.partition("?")[0].rpartition("/")[2], "LINK")


@pytest.fixture
async def endpoint(on: Setup) -> AsyncIterator[Endpoint]:
    """Of a deployment with a CDN."""
    key = LinkKey(b"a secret of this test")
    library = Library(Visible(on.world), on.store, lambda: on.clock.now().timestamp(), cdn=Cdn(CDN))
    app = Starlette(routes=MediaEndpoint(Visitors(key, on.clock, "anonymous"), library).routes([]))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://rtc.example") as http:
        yield Endpoint(await broadcast(on, on.store, "channel_members"), http, key)


def names(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if not line.startswith("#")]


async def test_it_only_grows_and_ends_with_the_recording(endpoint: Endpoint) -> None:
    live = endpoint.live
    await live.part(0, 2, closed=True)
    prefix = await live.part(1, 1)
    before = await endpoint.get(endpoint.link())
    assert "#EXT-X-TARGETDURATION:6\n" in before and "#EXT-X-ENDLIST" not in before and before.count("#EXT-X-DISCONTINUITY\n") == 1
    assert before.count("#EXT-X-PROGRAM-DATE-TIME:") == len(names(before)) == 3
    await live.grow(prefix, 4)
    after = await endpoint.get(endpoint.link())
    assert after.startswith(before) and names(after)[3:] == [f"LINK/1/segment_{number:05d}.ts" for number in (1, 2, 3)]
    # Over, and not all of it is there yet: a player begins at the start all the same.
    await live.on.database.execute("UPDATE nchat_streams SET status = 'ended'")
    over = await endpoint.get(endpoint.link())
    assert "#EXT-X-START:TIME-OFFSET=0\n" in over and "#EXT-X-ENDLIST" not in over and names(over) == names(after)
    await live.end()
    whole = await endpoint.get(endpoint.link())
    assert whole == after + "#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(("seconds", "target"), [(1, 2), (2, 3), (4, 6), (10, 15)])
async def test_its_target_follows_from_what_the_recorder_was_asked_for(endpoint: Endpoint, seconds: int, target: int) -> None:
    """From the first line on, whatever is in it by then; the end that an update tells is six times as long at least."""
    await endpoint.live.part(0, 1, each=float(seconds), asked=seconds)
    text = await endpoint.get(endpoint.link())
    assert f"#EXT-X-TARGETDURATION:{target}\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=90.0\n" in text and 6 * target <= 90


async def test_no_segment_is_longer_than_the_playlist_says(endpoint: Endpoint) -> None:
    """RFC 8216, 4.3.3.1: rounded to the nearest second."""
    prefix = await endpoint.live.part(0, 2, each=6.49)
    assert "#EXT-X-TARGETDURATION:6\n" in await endpoint.get(endpoint.link())
    await endpoint.live.list(prefix, 3, each=16.5)
    endpoint.live.on.clock.advance(2)
    text = await endpoint.get(endpoint.link())
    assert "#EXT-X-TARGETDURATION:17\n#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=102.0\n" in text


@pytest.mark.parametrize("status", ["recording", "processing"])
async def test_a_recorder_that_only_uploads_its_file_keeps_nobody_waiting(endpoint: Endpoint, status: str) -> None:
    """Its own playlist has its end; until then what follows it waits."""
    live = endpoint.live
    first = await live.part(0, 2)
    await live.part(1, 3)
    await live.on.database.execute("UPDATE nchat_call_recording_parts SET status = $1::recording_status WHERE index = 0", status)
    before = await endpoint.get(endpoint.link())
    assert names(before) == ["LINK/0/segment_00000.ts", "LINK/0/segment_00001.ts"]
    await live.list(first, 4, ended=True)
    live.on.clock.advance(2)
    after = await endpoint.get(endpoint.link())
    assert [len([name for name in names(after) if f"/{index}/" in name]) for index in (0, 1)] == [4, 3]
    assert names(after)[:2] == names(before) and "#EXT-X-ENDLIST" not in after
    # The same for who comes by now, and when the file is there.
    assert await endpoint.get(endpoint.link(ALICE)) == after
    await live.on.database.execute(
        "UPDATE nchat_call_recording_parts SET status = 'ready', segments = 4, closed_at = now() WHERE index = 0"
    )
    for number in (2, 3):
        await live.store.write(f"{first}segment_{number:05d}.ts", b"late", "video/mp2t")
    live.on.clock.advance(2)
    assert await endpoint.get(endpoint.link()) == after


async def test_an_update_tells_the_end_alone(endpoint: Endpoint) -> None:
    await endpoint.live.part(0, 1000)
    whole, update = await endpoint.get(endpoint.link()), await endpoint.get(f"{endpoint.link()}?_HLS_skip=YES")
    (skip,) = (line for line in update.splitlines() if line.startswith("#EXT-X-SKIP:"))
    assert int(skip.partition("=")[2]) + len(names(update)) == len(names(whole)) == 1000
    assert len(update) < 10_000 < len(whole)


async def test_what_everybody_may_watch_comes_from_the_cdn(endpoint: Endpoint) -> None:
    live = endpoint.live
    hidden = await live.part(0, 1, closed=True)
    await live.show("public")
    shown = await live.part(1, 2)
    expected = ["LINK/0/segment_00000.ts", f"{CDN}/{shown}segment_00000.ts", f"{CDN}/{shown}segment_00001.ts"]
    for link in (endpoint.unsigned, endpoint.link(), endpoint.link(None, "anonymous"), f"{endpoint.link(ALICE)}?_HLS_skip=YES"):
        text = await endpoint.get(link)
        assert names(text) == expected and hidden not in text
    # For members alone: nobody is told of the CDN any more, and members get all of it from us.
    await live.show("channel_members")
    ours = ["LINK/0/segment_00000.ts", "LINK/1/segment_00000.ts", "LINK/1/segment_00001.ts"]
    assert names(await endpoint.get(endpoint.link())) == ours
    # What was made meanwhile never comes from there, also when everybody may watch again, nor does the part whose end has moved.
    secret = await live.part(2, 1)
    await live.on.database.execute("UPDATE nchat_call_recording_parts SET closed_at = now() WHERE index = 1")
    await live.show("public")
    text = await endpoint.get(endpoint.unsigned)
    assert names(text) == [*ours, "LINK/2/segment_00000.ts"] and secret not in text
    piece = await endpoint.http.get(f"{endpoint.unsigned}/2/segment_00000.ts")
    assert piece.status_code == 302 and piece.headers["location"].startswith(f"https://store.example/{secret}segment_00000.ts?")


async def test_many_without_a_name_get_what_was_made_once(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    live, made = endpoint.live, list[bool]()
    await live.show("public")
    prefix = await live.part(0, 2)
    make = bodies.text

    def counted(*given: Any, update: bool) -> bytes:
        made.append(update)
        return make(*given, update=update)

    monkeypatch.setattr(bodies, "text", counted)
    first = {await endpoint.get(endpoint.unsigned) for _ in range(5)}
    assert len(first) == 1 and made == [False]
    named = {await endpoint.get(endpoint.link(who)) for who in (ALICE, BOB)}
    assert named == first and made == [False]
    await live.grow(prefix, 3)
    assert len(names(await endpoint.get(endpoint.unsigned))) == 3 and made == [False, False]
    await live.show("channel_members")
    assert (await endpoint.http.get(endpoint.unsigned)).status_code == 404
    await live.show("public")
    await live.end()
    assert (await endpoint.get(endpoint.unsigned)).endswith("#EXT-X-ENDLIST\n") and made == [False] * 3


async def test_where_nobody_comes_without_a_token_nothing_is_unsigned(endpoint: Endpoint) -> None:
    live = endpoint.live
    await live.show("public")
    await live.part(0, 1)
    visitors = Visitors(endpoint.key, live.on.clock)
    assert visitors.session(STREAM, live.stream, UNSIGNED) is None
    assert visitors.session(STREAM, live.stream, endpoint.link().rpartition("/")[2]) == session(BOB)
    # Nor is anything but a stream.
    strangers = Visitors(endpoint.key, live.on.clock, "anonymous")
    assert strangers.session(STREAM, live.stream, UNSIGNED) == Session("anonymous", {"x-hasura-role": "anonymous"})
    assert strangers.session("playlist", live.recording, UNSIGNED) is None
    assert (await endpoint.http.get(f"/media/playlist/{live.recording}/{UNSIGNED}")).status_code == 404


async def test_it_plays_from_the_bucket_that_it_is_in(endpoint: Endpoint) -> None:
    live, streams = endpoint.live, endpoint.live.on.store.of("streams")
    await live.on.database.execute("UPDATE nchat_call_recordings SET storage_bucket = 'streams'")
    live.store = streams
    prefix = await live.part(0, 2)
    assert live.on.store.objects == {} and len(names(await endpoint.get(endpoint.link()))) == 2
    piece = await endpoint.http.get(f"{endpoint.link()}/0/segment_00001.ts")
    assert piece.headers["location"].startswith(f"https://streams.store.example/{prefix}segment_00001.ts?")
    # Ten minutes at most: what was given out before a right was lost.
    assert "seconds=600&" in piece.headers["location"]


async def test_what_is_in_another_bucket_than_the_cdn_s_comes_from_us(endpoint: Endpoint) -> None:
    """The settings named another one when the stream began; the CDN reads that of now."""
    live = endpoint.live
    await live.show("public")
    await live.part(0, 2, closed=True)
    assert all(name.startswith(CDN) for name in names(await endpoint.get(endpoint.unsigned)))
    live.store = live.on.store.of("the bucket before")
    await live.on.database.execute("UPDATE nchat_call_recordings SET storage_bucket = 'the bucket before'")
    prefix = await live.part(1, 2)
    text = await endpoint.get(endpoint.unsigned)
    assert CDN not in text and "LINK/1/segment_00001.ts" in names(text)
    piece = await endpoint.http.get(f"{endpoint.unsigned}/1/segment_00001.ts")
    assert piece.status_code == 302 and f"{prefix}segment_00001.ts?" in piece.headers["location"]


@pytest.mark.parametrize(
    ("bucket", "recordings", "named", "there"),
    [
        ("streams", "recordings", "streams", True),
        ("streams", "recordings", "before", False),
        ("streams", "recordings", None, False),
        ("both", "both", "both", True),
        ("both", "both", None, True),
    ],
)
def test_a_cdn_has_what_lies_in_its_bucket(bucket: str, recordings: str, named: str | None, there: bool) -> None:
    address = Cdn.over(CDN, bucket, recordings=recordings).address("recordings/key", named)
    assert address == (f"{CDN}/recordings/key" if there else None)


async def test_of_a_stream_that_is_not_kept_nothing_else_plays(endpoint: Endpoint) -> None:
    live = endpoint.live
    await live.part(0, 1)
    await live.end()
    await live.on.database.execute("UPDATE nchat_call_recordings SET keep = false")
    assert len(names(await endpoint.get(endpoint.link()))) == 1
    token = endpoint.key.sign("playlist", live.recording, Bearer("user", str(ALICE), 2_000_000_000))
    assert (await endpoint.http.get(f"/media/playlist/{live.recording}/{token}")).status_code == 404
