"""One playlist of all parts: it only grows, an update is short, and it ends with the recording."""

import asyncio
from datetime import timedelta

import pytest

from domain.recording_ports import StorageError
from domain.recordings.playing import part_segments
from tests.media.library import Shelf
from tests.support.domain_setup import ALICE, BOB

pytestmark = pytest.mark.anyio


def names(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


def entries(part: int, many: int) -> list[str]:
    return [f"LINK/{part}/segment_{number:05d}.ts" for number in range(many)]


async def run(shelf: Shelf, status: str = "recording") -> None:
    await shelf.on.database.execute("UPDATE nchat_call_recordings SET status = $1::recording_status", status)


async def test_parts_follow_each_other(shelf: Shelf) -> None:
    lines = (await shelf.playlist()).splitlines()
    assert lines[:2] == ["#EXTM3U", "#EXT-X-VERSION:9"]
    assert {"#EXT-X-TARGETDURATION:6", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:EVENT"} <= set(lines)
    assert names("\n".join(lines)) == entries(0, 10) + entries(1, 5)
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    assert lines.index("#EXT-X-DISCONTINUITY") == lines.index("LINK/0/segment_00009.ts") + 1
    assert sum(line.startswith("#EXT-X-PROGRAM-DATE-TIME:") for line in lines) == lines.count("#EXTINF:4.000,") == 15
    assert lines[-1] == "#EXT-X-ENDLIST"
    answer = await shelf.get(ALICE)
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/vnd.apple.mpegurl", "no-store")


async def test_it_grows_while_the_recording_runs(shelf: Shelf) -> None:
    await run(shelf)
    began = shelf.on.clock.now()
    await shelf.part(2, segments=2, began_at=began, status="recording", closed=False)
    before = await shelf.playlist()
    assert names(before)[15:] == entries(2, 2) and "#EXT-X-ENDLIST" not in before
    for segments in (3, 5, 200):
        await shelf.grow(2, segments, began)
        after = await shelf.playlist()
        assert after.startswith(before) and names(after)[15:] == entries(2, segments)
        before = after


async def test_an_update_tells_the_end_alone(shelf: Shelf) -> None:
    await run(shelf)
    await shelf.part(2, segments=7200, began_at=shelf.on.clock.now(), status="recording", closed=False)
    whole, update = await shelf.playlist(), await shelf.playlist(skip=True)
    told = names(update)
    (skip,) = (line for line in update.splitlines() if line.startswith("#EXT-X-SKIP:"))
    assert int(skip.partition("=")[2]) + len(told) == len(names(whole)) == 7215
    assert whole.endswith(update[update.index("#EXT-X-PROGRAM") :])
    assert 90 <= 4 * len(told) < 100
    link = shelf.link(BOB)
    assert len((await shelf.http.get(link + "?_HLS_skip=YES")).content) <= 10_000


async def test_an_update_may_begin_with_a_part(shelf: Shelf) -> None:
    await run(shelf)
    await shelf.part(2, segments=23, began_at=shelf.on.clock.now(), status="recording", closed=False)
    update = await shelf.playlist(skip=True)
    assert names(update) == entries(2, 23)
    assert "#EXT-X-SKIP:SKIPPED-SEGMENTS=15\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM" in update


async def test_a_short_one_is_told_whole(shelf: Shelf) -> None:
    await run(shelf)
    assert await shelf.playlist(skip=True) == await shelf.playlist()


async def test_nothing_is_put_before_what_was_shown(shelf: Shelf) -> None:
    """A part whose recorder still uploads: the next one waits."""
    await run(shelf)
    began = shelf.on.clock.now()
    late = await shelf.part(2, segments=2, began_at=began, status="processing", closed=False)
    await shelf.part(3, segments=3, began_at=began + timedelta(seconds=60), status="recording", closed=False)
    before = await shelf.playlist()
    assert names(before)[15:] == entries(2, 2)
    await shelf.grow(2, 4, began)
    await shelf.on.database.execute("UPDATE nchat_call_recording_parts SET closed_at = now() WHERE id = $1", late)
    after = await shelf.playlist()
    assert after.startswith(before) and names(after)[15:] == entries(2, 4) + entries(3, 3)


async def test_parts_without_media_leave_no_trace(shelf: Shelf) -> None:
    await shelf.part(2, segments=3, began_at=shelf.on.clock.now(), status="failed")
    await shelf.part(3, segments=0, began_at=shelf.on.clock.now(), status="processing")
    await shelf.part(4, segments=2, began_at=shelf.on.clock.now())
    playlist = await shelf.playlist()
    assert names(playlist)[15:] == entries(4, 2) and playlist.count("#EXT-X-DISCONTINUITY\n") == 2


async def test_a_segment_that_is_lost_is_skipped_by_players(shelf: Shelf) -> None:
    del shelf.on.store.objects[await shelf.prefix(0) + "segment_00004.ts"]
    await shelf.on.database.execute("UPDATE nchat_call_recording_parts SET segments = 9 WHERE index = 0")
    playlist = await shelf.playlist()
    assert names(playlist) == entries(0, 10) + entries(1, 5)
    assert playlist.count("#EXT-X-GAP") == 1 and "#EXT-X-GAP\n#EXTINF:4.000,\nLINK/0/segment_00004.ts" in playlist


async def test_it_plays_on_without_the_store_and_does_not_end(shelf: Shelf) -> None:
    await run(shelf)
    began = shelf.on.clock.now()
    part = await shelf.part(2, segments=2, began_at=began, status="recording", closed=False)
    before = await shelf.playlist()
    await shelf.grow(2, 4, began)
    shelf.on.store.down = True
    await run(shelf, "ready")
    await shelf.on.database.execute("UPDATE nchat_call_recording_parts SET status = 'ready', segments = 4 WHERE id = $1", part)
    assert await shelf.playlist() == before
    shelf.on.store.down = False
    shelf.on.clock.advance(1)
    after = await shelf.playlist()
    assert after.startswith(before) and after.endswith("segment_00003.ts\n#EXT-X-ENDLIST\n")


async def test_nobody_waits_for_a_store_that_stands_still(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await run(shelf)
    await shelf.part(2, segments=2, began_at=shelf.on.clock.now(), status="recording", closed=False)
    before, asked = await shelf.playlist(), list[str]()

    async def stand_still(key: str, **_: object) -> bytes:
        asked.append(key)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(part_segments, "PATIENCE", 0.1)
    monkeypatch.setattr(type(shelf.on.store), "read", lambda _self, key, **more: stand_still(key, **more))
    shelf.on.clock.advance(1)
    assert await asyncio.gather(*(shelf.playlist() for _ in range(20))) == [before] * 20
    assert len(asked) == 1


async def test_a_store_that_is_away_is_asked_once_for_all(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()

    async def refuse(_self: object, key: str, **_: object) -> bytes:
        asked.append(key)
        raise StorageError("store.read: no answer")

    with monkeypatch.context() as away:
        away.setattr(type(shelf.on.store), "read", refuse)
        answers = await asyncio.gather(*(shelf.get(ALICE) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {503} and len(asked) == 1
    shelf.on.clock.advance(1)
    assert len(names(await shelf.playlist())) == 15


async def test_before_the_first_segment_there_is_nothing(shelf: Shelf) -> None:
    await shelf.on.database.execute("DELETE FROM nchat_call_recording_parts")
    await shelf.part(0, segments=0, began_at=shelf.on.clock.now(), status="recording", closed=False)
    assert (await shelf.get(ALICE)).status_code == 404


async def test_tracks_play_each_alone(shelf: Shelf) -> None:
    part = await shelf.on.database.fetchval(
        "UPDATE nchat_call_recording_parts SET kind = 'track', track_kind = 'camera', user_id = $1 WHERE index = 1 RETURNING id", BOB
    )
    assert names(await shelf.playlist()) == entries(0, 10)
    link = shelf.link(ALICE, "part-playlist", id=part)
    answer = await shelf.http.get(link)
    assert names(answer.text.replace(link.rpartition("/")[2], "LINK")) == entries(1, 5)
    assert (await shelf.http.get(f"{link}/1/segment_00004.ts")).status_code == 302
    assert (await shelf.http.get(f"{link}/0/segment_00004.ts")).status_code == 404
