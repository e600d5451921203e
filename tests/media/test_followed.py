"""Following a link: the right is looked up again each time, and whoever has none learns nothing."""

import re
from uuid import UUID, uuid4

import pytest

from tests.media.library import Shelf
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, MOD

pytestmark = pytest.mark.anyio
KINDS = ("recording", "playlist", "thumbnail", "storyboard")
PART_KINDS = ("part", "part-playlist")


async def links(shelf: Shelf, who: UUID | None, role: str = "user") -> list[str]:
    """A link of each kind, and a segment and a picture below it."""
    part = await shelf.on.database.fetchval(
        "SELECT id FROM nchat_call_recording_parts WHERE recording_id = $1 AND index = 0", shelf.recording
    )
    whole = [shelf.link(who, kind, role=role) for kind in KINDS]
    whole += [shelf.link(who, kind, id=part, role=role) for kind in PART_KINDS]
    names = {"playlist": "segment_00000.ts", "part-playlist": "segment_00000.ts", "storyboard": "picture_00000.jpeg"}
    return whole + [f"{link}/0/{names[link.split('/')[2]]}" for link in whole if link.split("/")[2] in names]


async def answers(shelf: Shelf, paths: list[str]) -> list[tuple[int, bytes, dict[str, str]]]:
    found = [await shelf.http.get(path) for path in paths]
    return [(one.status_code, one.content, dict(one.headers)) for one in found]


async def refused(shelf: Shelf, paths: list[str]) -> None:
    """Each of them as a recording that never was."""
    absent = await shelf.http.get(shelf.link(ALICE, id=uuid4()))
    assert (absent.status_code, absent.headers["cache-control"]) == (404, "no-store")
    before = len(shelf.on.store.objects)
    assert await answers(shelf, paths) == [(404, absent.content, dict(absent.headers))] * len(paths)
    assert len(shelf.on.store.objects) == before


async def test_who_sees_the_recording_gets_what_is_there(shelf: Shelf) -> None:
    for who, role in ((ALICE, "user"), (BOB, "user"), (ALICE, "moderator"), (None, "admin")):
        assert [status for status, _, _ in await answers(shelf, await links(shelf, who, role))] == [
            302,
            200,
            302,
            200,
            302,
            200,
            302,
            302,
            302,
        ]


@pytest.mark.parametrize(
    ("who", "role"), [(CAROL, "user"), (MALLORY, "user"), (MOD, "moderator"), (None, "anonymous"), (None, "user"), (ALICE, "nobody")]
)
async def test_who_does_not_see_it_gets_what_an_absent_one_gives(shelf: Shelf, who: UUID | None, role: str) -> None:
    await refused(shelf, await links(shelf, who, role))
    assert {outcome for _, outcome in shelf.counted} == {"refused"}


async def test_a_copied_link_ends_with_the_right(shelf: Shelf) -> None:
    copied = await links(shelf, BOB)
    assert {status for status, _, _ in await answers(shelf, copied)} == {200, 302}
    await shelf.on.database.execute("UPDATE nchat_call_participants SET status = 'kicked' WHERE user_id = $1", BOB)
    await refused(shelf, copied)


async def test_a_former_member_does_not_see_a_streams_recording(shelf: Shelf) -> None:
    stream = await shelf.on.database.fetchval(
        "INSERT INTO nchat_streams (channel_id, host_id, title, visibility, status)"
        " VALUES ($1, $2, 'a stream', 'channel_members', 'ended') RETURNING id",
        GENERAL,
        ALICE,
    )
    await shelf.on.database.execute("UPDATE nchat_call_recordings SET call_id = NULL, stream_id = $1", stream)
    copied = await links(shelf, CAROL)
    assert {status for status, _, _ in await answers(shelf, copied)} == {200, 302}
    await shelf.on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", CAROL)
    await refused(shelf, copied)


async def test_a_link_ends_with_its_life(shelf: Shelf) -> None:
    copied = await links(shelf, ALICE)
    shelf.on.clock.advance(3599)
    assert {status for status, _, _ in await answers(shelf, copied)} == {200, 302}
    shelf.on.clock.advance(1)
    await refused(shelf, copied)


@pytest.mark.parametrize("column", ["status = 'deleted'", "delete_asked_at = now()"])
async def test_what_is_removed_is_gone_for_everybody(shelf: Shelf, column: str) -> None:
    await shelf.on.database.execute(f"UPDATE nchat_call_recordings SET {column}")
    for who, role in ((ALICE, "user"), (None, "admin")):
        await refused(shelf, await links(shelf, who, role))


async def test_no_name_leads_elsewhere(shelf: Shelf) -> None:
    link = shelf.link(ALICE)
    for below in (
        "0/recording.mp4",
        "0/playlist.m3u8",
        "0/segment_00000.ts.x",
        "0/picture_00000.jpeg",
        "7/segment_00000.ts",
        "0/..%2fx",
        "9999999999/segment_00000.ts",
        "0/segment_٠٠٠٠٠.ts",
    ):
        assert (await shelf.http.get(f"{link}/{below}")).status_code == 404
    assert (await shelf.http.get(link.replace("/playlist/", "/shelf/"))).status_code == 404
    assert (await shelf.http.get("/media/playlist/not-an-id/x")).status_code == 404
    assert (await shelf.http.post(link)).status_code == 405


async def test_an_address_of_the_store_lives_as_long_as_somebody_watches(shelf: Shelf) -> None:
    for seconds, life in ((60, 960), (8 * 3600, 8 * 3600 + 900), (13 * 3600, 12 * 3600), (None, 12 * 3600)):
        await shelf.on.database.execute("UPDATE nchat_call_recordings SET duration = $1", seconds)
        address = (await shelf.get(BOB, "recording")).headers["location"]
        assert address.startswith("https://store.example/recordings/file.mp4?") and f"seconds={life}&" in address


async def test_pages_of_named_origins_may_read(shelf: Shelf) -> None:
    link = shelf.link(ALICE)
    named = await shelf.http.get(link, headers={"origin": "https://app.example"})
    other = await shelf.http.get(link, headers={"origin": "https://other.example"})
    assert named.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in other.headers and "access-control-allow-credentials" not in named.headers
    asked = {"origin": "https://app.example", "access-control-request-method": "GET", "access-control-request-headers": "range"}
    assert (await shelf.http.options(link, headers=asked)).status_code == 200
    assert (await shelf.http.options(link, headers=asked | {"origin": "https://other.example"})).status_code == 400
    told = (named.headers[name] for name in ("cache-control", "referrer-policy", "x-content-type-options", "cross-origin-resource-policy"))
    assert list(told) == ["no-store", "no-referrer", "nosniff", "cross-origin"]


async def test_a_store_that_is_away_is_told_apart(shelf: Shelf) -> None:
    shelf.on.store.down = True
    answer = await shelf.get(ALICE)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (503, "2", "Try again.\n")
    assert (await shelf.get(MALLORY)).status_code == 404
    shelf.on.store.down = False
    shelf.on.clock.advance(1)
    assert (await shelf.get(ALICE)).status_code == 200
    assert shelf.counted == [("playlist", "unanswered"), ("playlist", "refused"), ("playlist", "served")]


async def test_a_storyboard_lies_on_the_time_line_of_the_playlist(shelf: Shelf) -> None:
    link = shelf.link(ALICE, "storyboard")
    answer = await shelf.http.get(link)
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    lines = answer.text.replace(link.rpartition("/")[2], "LINK").splitlines()
    assert lines[0] == "WEBVTT"
    cues = [(lines[place], lines[place + 1]) for place in range(2, len(lines), 3)]
    assert cues == [
        ("00:00:00.000 --> 00:00:10.000", "LINK/0/picture_00000.jpeg"),
        ("00:00:10.000 --> 00:00:20.000", "LINK/0/picture_00001.jpeg"),
        ("00:00:20.000 --> 00:00:30.000", "LINK/0/picture_00002.jpeg"),
        ("00:00:30.000 --> 00:00:40.000", "LINK/0/picture_00003.jpeg"),
        ("00:00:40.000 --> 00:00:50.000", "LINK/1/picture_00000.jpeg"),
        ("00:00:50.000 --> 00:01:00.000", "LINK/1/picture_00001.jpeg"),
    ]
    picture = await shelf.http.get(f"{link}/1/picture_00001.jpeg")
    assert re.match(r"https://store\.example/recordings/.*/picture_00001\.jpeg\?", picture.headers["location"])
