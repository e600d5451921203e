"""What a recorder writes where the CDN reads after fewer were let watch moves to keys that nobody knows, and plays on for who still may."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.media.cdn import Cdn
from app.media.library import Asked, Elsewhere, Library
from domain.recordings.clips import copies
from domain.recordings.clips.copying import copy_due
from domain.recordings.ending.finishing import finish
from domain.recordings.late.moving import move_late
from domain.recordings.late.taking import WATCHED_FOR
from domain.recordings.names import file_key, picture_key, playlist_key, segment_name
from domain.recordings.playing.visible import Visible
from domain.recordings.retention.removing import remove_all_due
from domain.recordings.retention.stray_objects import stray_objects
from domain.world import World
from tests.playback.broadcast import Broadcast, broadcast
from tests.playback.test_clip_copies import DeadlyTransactions, Died
from tests.playback.test_clips import cut
from tests.support.call_sites import of_recordings, transactions
from tests.support.domain_setup import ALICE, BOB, MALLORY, Setup, session

pytestmark = pytest.mark.anyio
TOKEN = "link"


@pytest.fixture
async def live(on: Setup) -> Broadcast:
    """Public, three segments of it seen."""
    made = await broadcast(on, on.store)
    prefix = await made.part(0, 3)
    long_ago = on.clock.now() - timedelta(seconds=30)
    on.store.times |= {key: long_ago for key in on.store.objects if key.startswith(prefix)}
    return made


async def part(live: Broadcast) -> Any:
    return await live.on.database.fetchrow("SELECT * FROM nchat_call_recording_parts WHERE recording_id = $1", live.recording)


async def write(live: Broadcast, *numbers: int) -> None:
    """The recorder uploads these, and its playlist."""
    prefix = (await part(live))["path_prefix"]
    for number in numbers:
        await live.store.write(prefix + segment_name(number), f"late {number}".encode(), "video/mp2t")
    await live.list(prefix, max(numbers) + 1)


async def narrow(live: Broadcast) -> None:
    await live.show("channel_members")
    live.on.clock.advance(1)


async def move(live: Broadcast, seconds: float = 1) -> None:
    """What the job does so much later."""
    live.on.clock.advance(seconds)
    await move_late(live.on.world)


async def close(live: Broadcast) -> None:
    """Its recorder has ended."""
    live.on.clock.advance(1)
    await live.on.database.execute(
        "UPDATE nchat_call_recording_parts SET status = 'processing', closed_at = $1, next_look_at = $1", live.on.clock.now()
    )


async def lying(live: Broadcast) -> tuple[list[str], list[str]]:
    """What lies where the CDN reads, and what where it does not; playlists and the first picture aside."""
    row = await part(live)
    places = [sorted(key.removeprefix(prefix) for key in live.on.store.objects if key.startswith(prefix)) for prefix in _prefixes(row)]
    aside = {playlist_key(""), picture_key("", 0)}
    old, new = ([name for name in names if name not in aside] for names in places)
    return old, new


def _prefixes(row: Any) -> tuple[str, str]:
    return row["path_prefix"], row["late_prefix"] or "nowhere"


def names(*numbers: int) -> list[str]:
    return [segment_name(number) for number in numbers]


async def test_what_was_seen_before_stays_and_all_that_follows_moves(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    await move(live)
    assert await lying(live) == (names(0, 1, 2), names(3))
    await write(live, 4, 5)
    assert await move_late(on.world) == 0, "a second is not over"
    await move(live)
    assert await lying(live) == (names(0, 1, 2), names(3, 4, 5))
    row = await part(live)
    assert (row["late_from"], row["moved_to"]) == (3, 6) and row["late_prefix"].rpartition("-")[2] != row["path_prefix"].rpartition("-")[2]
    assert row["late_prefix"].startswith(f"recordings/{live.recording}/{row['id']}-")


async def test_who_still_may_watch_gets_all_of_it_whenever(on: Setup, live: Broadcast) -> None:
    library = Library(Visible(on.world), on.store, cdn=Cdn("https://cdn.example"))

    async def pieces(who: Any) -> list[bytes | None]:
        found = [await library.piece("stream", Asked(session(who), live.stream, TOKEN), 0, name) for name in names(0, 1, 2, 3, 4)]
        keys = [one.address.removeprefix("https://store.example/").partition("?")[0] for one in found if isinstance(one, Elsewhere)]
        return [on.store.objects[key] for key in keys]

    await narrow(live)
    await write(live, 3, 4)
    whole = [b"0/0", b"0/1", b"0/2", b"late 3", b"late 4"]
    assert (await pieces(BOB), await pieces(MALLORY)) == (whole, [])
    await move(live)
    assert (await pieces(BOB), await pieces(MALLORY)) == (whole, [])
    await close(live)
    await finish(on.world)
    await move(live)
    assert (await pieces(BOB), await pieces(MALLORY)) == (whole, [])
    row = await part(live)
    assert (row["status"], row["segments"], row["duration"]) == ("ready", 5, 20)


async def test_a_stream_that_is_public_again_names_none_of_the_part_s_with_the_cdn_s_address(on: Setup, live: Broadcast) -> None:
    library = Library(Visible(on.world), on.store, cdn=Cdn("https://cdn.example"))
    asked = Asked(session(BOB), live.stream, TOKEN)
    shelf = library.shelves["stream"]
    before: Any = await shelf(asked)
    assert before.body.count(b"https://cdn.example/") == 3
    await narrow(live)
    await write(live, 3)
    await move(live)
    await live.show("public")
    after: Any = await shelf(asked)
    assert b"cdn.example" not in after.body


async def test_a_store_s_clock_that_is_wrong_is_believed_for_two_segments(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, *range(3, 8))
    prefix = (await part(live))["path_prefix"]
    on.store.times |= {key: on.clock.now() - timedelta(hours=1) for key in on.store.objects if key.startswith(prefix)}
    await move(live)
    assert await lying(live) == (names(0, 1, 2, 3, 4), names(5, 6, 7))


async def test_of_short_segments_more_may_have_been_played_unseen(on: Setup, live: Broadcast) -> None:
    await live.on.database.execute("UPDATE nchat_call_recording_parts SET segment_seconds = 1")
    await narrow(live)
    await write(live, *range(3, 10))
    prefix = (await part(live))["path_prefix"]
    on.store.times |= {key: on.clock.now() - timedelta(hours=1) for key in on.store.objects if key.startswith(prefix)}
    await move(live)
    assert await lying(live) == (names(*range(8)), names(8, 9))


async def test_its_file_and_late_pictures_move_too_and_rows_say_where_to(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    prefix = (await part(live))["path_prefix"]
    await on.store.write(picture_key(prefix, 1), b"a late picture", "image/jpeg")
    await on.store.write(file_key(prefix), b"a file", "video/mp4")
    await close(live)
    # Gathered before it has moved.
    await finish(on.world)
    assert (await part(live))["file_path"] == file_key(prefix)
    await on.database.execute("UPDATE nchat_call_recordings SET file_path = $1", file_key(prefix))
    await move(live)
    old, new = await lying(live)
    assert (old, new) == (names(0, 1, 2), [picture_key("", 1), file_key(""), *names(3)])
    row = await part(live)
    recording: Any = await on.database.fetchrow("SELECT file_path, thumbnail_path FROM nchat_call_recordings")
    assert row["file_path"] == recording["file_path"] == file_key(row["late_prefix"])
    assert recording["thumbnail_path"] == picture_key(prefix, 0), "of before"


async def test_it_is_over_a_minute_after_the_recorder(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await close(live)
    await move(live)
    await write(live, 3)
    await move(live, 5)
    assert await lying(live) == (names(0, 1, 2), names(3)), "a recorder that was given up lived on"
    await move(live, WATCHED_FOR.total_seconds())
    assert (await part(live))["late_look_at"] is None and await move_late(on.world) == 0


async def test_a_store_that_is_away_comes_back(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    on.store.down = True
    for _ in range(4):
        await move(live, 60)
    on.store.down = False
    await move(live, 60)
    assert await lying(live) == (names(0, 1, 2), names(3))


async def test_what_is_to_be_removed_gets_no_more_objects(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    await on.database.execute("UPDATE nchat_call_recordings SET delete_asked_at = now(), next_work_at = now()")
    await move(live)
    assert await lying(live) == (names(0, 1, 2, 3), [])
    await close(live)
    await finish(on.world)
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'ready'")
    assert await remove_all_due(on.world) == 1
    assert on.store.objects == {} and (await part(live))["late_look_at"] is None


async def test_nothing_that_moved_is_a_stray(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    await move(live)
    pages = [page async for page in stray_objects(on.world.transaction, on.store, on.clock.now() + timedelta(days=2))]
    assert [page.strays for page in pages] == [()]


async def test_clips_have_what_moved(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, 3)
    await move(live)
    clip = await cut(on, session(ALICE), stream=live.stream, begins=9, ends=15)
    await copy_due(on.world)
    copied = {body for key, body in on.store.objects.items() if f"/{clip}/" in key and key.endswith(".ts")}
    assert copied == {b"0/2", b"late 3"}


async def test_clips_have_what_moves_after_they_were_cut(on: Setup, live: Broadcast) -> None:
    """Of the live edge, when the stream has just been narrowed, and of before."""
    before = await cut(on, session(ALICE), stream=live.stream, begins=5, ends=11)
    await narrow(live)
    await write(live, 3, 4)
    edge = await cut(on, session(ALICE), stream=live.stream, begins=9, ends=20)
    await move(live)
    assert await copy_due(on.world) == 2
    assert await copied(live, before) == [b"0/1", b"0/2"]
    assert await copied(live, edge) == [b"0/2", b"late 3", b"late 4"]


async def test_clips_have_what_moves_while_they_are_copied(on: Setup, live: Broadcast, monkeypatch: pytest.MonkeyPatch) -> None:
    await narrow(live)
    await write(live, 3, 4)
    clip = await cut(on, session(ALICE), stream=live.stream, begins=9, ends=20)
    places = copies.places

    async def look_and_move(*given: Any) -> Any:
        monkeypatch.setattr(copies, "places", places)
        found = await places(*given)
        await move(live)
        return found

    monkeypatch.setattr(copies, "places", look_and_move)
    assert await copy_due(on.world) == 1
    assert await copied(live, clip) == [b"0/2", b"late 3", b"late 4"]


async def copied(live: Broadcast, clip: Any) -> list[bytes]:
    """The segments of a clip, in order."""
    return [body for key, body in sorted(live.on.store.objects.items()) if f"/{clip}/" in key and key.endswith(".ts")]


@pytest.mark.parametrize("visibility", ["channel_members", "invite_only"])
async def test_what_was_on_no_cdn_stays(on: Setup, visibility: str) -> None:
    live = await broadcast(on, on.store, "channel_members" if visibility == "invite_only" else "public")
    await live.part(0, 2, closed=visibility == "channel_members")
    await live.show(visibility)
    await move(live)
    row = await part(live)
    assert (row["late_prefix"], row["late_look_at"], row["narrowed_at"]) == (None, None, None)


async def test_two_processes_at_once(on: Setup, live: Broadcast) -> None:
    await narrow(live)
    await write(live, *range(3, 20))
    on.clock.advance(1)
    looked = await asyncio.gather(move_late(on.world), move_late(on.world))
    assert sum(looked) == 1 and await lying(live) == (names(0, 1, 2), names(*range(3, 20)))


COMMITS = sorted(set(transactions(of_recordings("late"))))


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", COMMITS)
async def test_whoever_dies_at_it(on: Setup, live: Broadcast, name: str, moment: str) -> None:
    await narrow(live)
    await write(live, 3, 4)
    await on.store.write(file_key((await part(live))["path_prefix"]), b"a file", "video/mp4")
    await close(live)
    await finish(on.world)
    deadly = DeadlyTransactions(on.world.transaction, name, moment)
    with pytest.raises(Died):
        await move_late(_dying(on.world, deadly))
    await move(live, 21)
    row = await part(live)
    assert await lying(live) == (names(0, 1, 2), [file_key(""), *names(3, 4)])
    assert (row["file_path"], row["moved_to"]) == (file_key(row["late_prefix"]), 5)


def _dying(world: World, deadly: DeadlyTransactions) -> World:
    return replace(world, transaction=deadly)
