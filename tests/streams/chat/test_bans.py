"""Bans: made anew, lifted, run out; who can't be banned; what they end."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.errors import Banned, InvalidInput, NotAllowed, NotFound
from domain.streams.chat.bans import BATCH, LONGEST_BAN, ban_from_stream, expire_all_bans, expire_bans, unban_from_stream
from domain.streams.viewers.out_of_room import take_out
from permissions.session import Session
from tests.streams.chat.live_stream import banned, live_stream, made, refused, say
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, newcomers, session

pytestmark = pytest.mark.anyio

BANS = """SELECT banned_by, reason, expires_at, lifted_at FROM nchat_stream_bans
    WHERE stream_id = $1 AND user_id = $2 ORDER BY created_at"""
WATCHES = """INSERT INTO nchat_stream_viewers (stream_id, user_id, role, session_id, joined_at, webrtc)
    VALUES ($1, $2, $3, gen_random_uuid()::text, $4, true) RETURNING id"""


async def standing(on: Setup, stream_id: UUID, who: UUID) -> list[tuple[object, ...]]:
    """All bans there were of a person: by whom, why, until when, over since when."""
    rows = (
        "SELECT banned_by, reason, expires_at, lifted_at FROM nchat_stream_bans WHERE stream_id = $1 AND user_id = $2 ORDER BY created_at"
    )
    return [tuple(row) for row in await on.database.fetch(rows, stream_id, who)]


async def test_a_ban_and_its_end(on: Setup) -> None:
    stream_id = await live_stream(on)
    await made(on, DAVE, "owner")
    on.publisher.topics()
    first = await ban_from_stream(on.world, session(ALICE), stream_id, BOB, reason="enough")
    assert await standing(on, stream_id, BOB) == [(ALICE, "enough", None, None)]
    assert {f"stream_chat:{stream_id}", f"stream:{stream_id}", "table:nchat_stream_bans"} <= on.publisher.topics()
    again = await ban_from_stream(on.world, session(DAVE), stream_id, BOB, seconds=60)
    assert again == first
    until = on.clock.now() + timedelta(seconds=60)
    assert await standing(on, stream_id, BOB) == [(DAVE, None, until, None)]
    assert isinstance(await refused(on, partial(say, on, stream_id, BOB)), Banned)
    for _ in range(2):
        assert await unban_from_stream(on.world, session(MOD, "moderator"), stream_id, BOB) == first
    assert await standing(on, stream_id, BOB) == [(DAVE, None, until, on.clock.now())]
    await say(on, stream_id, BOB)
    second = await ban_from_stream(on.world, session(ALICE), stream_id, BOB)
    assert second.ban_id != first.ban_id
    assert len(await standing(on, stream_id, BOB)) == 2


async def test_banned_by_ten_at_once_there_is_one_ban(on: Setup) -> None:
    stream_id = await live_stream(on)
    bans = await asyncio.gather(*(ban_from_stream(on.world, session(ALICE), stream_id, BOB, seconds) for seconds in range(1, 11)))
    assert len({ban.ban_id for ban in bans}) == 1
    assert len(await standing(on, stream_id, BOB)) == 1


async def test_nobody_is_banned_who_keeps_order(on: Setup) -> None:
    stream_id = await live_stream(on)
    for role in ("owner", "admin", "moderator"):
        await made(on, DAVE, role)
        for by in (session(ALICE), session(MOD, "moderator")):
            for who in (ALICE, DAVE):
                assert isinstance(await refused(on, partial(ban_from_stream, on.world, by, stream_id, who)), NotAllowed)


async def test_only_who_keeps_order_bans_and_lifts(on: Setup) -> None:
    stream_id = await live_stream(on)
    await banned(on, stream_id, CAROL)
    for who in (BOB, MALLORY):
        assert isinstance(await refused(on, partial(ban_from_stream, on.world, session(who), stream_id, DAVE)), NotAllowed)
        assert isinstance(await refused(on, partial(unban_from_stream, on.world, session(who), stream_id, CAROL)), NotAllowed)
    for act in (ban_from_stream, unban_from_stream):
        assert isinstance(await refused(on, partial(act, on.world, session(CAROL), stream_id, CAROL)), Banned)


async def test_what_no_ban_is_made_of(on: Setup) -> None:
    stream_id, hidden = await live_stream(on), await live_stream(on, "invite_only", host=BOB)
    by = session(ALICE)
    for seconds in (0, -1, LONGEST_BAN + 1):
        assert isinstance(await refused(on, partial(ban_from_stream, on.world, by, stream_id, BOB, seconds)), InvalidInput)
    assert isinstance(await refused(on, partial(ban_from_stream, on.world, by, stream_id, BOB, None, "x" * 501)), InvalidInput)
    assert isinstance(await refused(on, partial(ban_from_stream, on.world, by, stream_id, uuid4())), NotFound)
    assert isinstance(await refused(on, partial(unban_from_stream, on.world, by, stream_id, BOB)), InvalidInput)
    for act in (ban_from_stream, unban_from_stream):
        assert [type(await refused(on, partial(act, on.world, by, asked, CAROL))) for asked in (hidden, uuid4())] == [NotFound] * 2
    assert isinstance(await refused(on, partial(ban_from_stream, on.world, session(uuid4(), "admin"), stream_id, BOB)), InvalidInput)


async def test_bans_run_out_some_at_a_time_whoever_looks(on: Setup) -> None:
    stream_id = await live_stream(on)
    people = await newcomers(on, BATCH + 20)
    due = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by, expires_at) VALUES ($1, $2, $3, $4)"
    await on.database.executemany(due, [(stream_id, who, ALICE, on.clock.now()) for who in people])
    await ban_from_stream(on.world, session(ALICE), stream_id, BOB, seconds=1)
    await ban_from_stream(on.world, session(ALICE), stream_id, CAROL)
    on.publisher.topics()
    lifted = await asyncio.gather(*(expire_bans(on.world) for _ in range(4)))
    await expire_all_bans(on.world)
    assert sum(lifted) <= BATCH + 20
    left = "SELECT user_id FROM nchat_stream_bans WHERE lifted_at IS NULL ORDER BY user_id"
    assert [row["user_id"] for row in await on.database.fetch(left)] == [BOB, CAROL]
    assert f"stream_chat:{stream_id}" in on.publisher.topics()
    on.clock.advance(1)
    assert await expire_bans(on.world) == 1
    await say(on, stream_id, BOB)
    assert await standing(on, stream_id, CAROL) == [(ALICE, None, None, None)]


async def test_whoever_is_banned_watches_no_more_and_is_out_of_the_room(on: Setup) -> None:
    stream_id, elsewhere = await live_stream(on), await live_stream(on)
    room, began = await on.database.fetchval("SELECT room_name FROM nchat_streams WHERE id = $1", stream_id), on.clock.now()
    theirs = [await on.database.fetchval(WATCHES, stream_id, BOB, "user", began) for _ in range(2)]
    others = [await on.database.fetchval(WATCHES, *other, began) for other in ((stream_id, CAROL, "user"), (stream_id, BOB, "moderator"))]
    await on.database.fetchval(WATCHES, elsewhere, BOB, "user", began)
    for viewer in (*theirs, *others):
        on.rooms.join(room, f"viewer:{viewer}")
    on.clock.advance(90)
    await ban_from_stream(on.world, session(ALICE), stream_id, BOB)
    over = await on.database.fetch("SELECT id, watch_duration FROM nchat_stream_viewers WHERE left_at = $1", on.clock.now())
    assert {(row["id"], row["watch_duration"]) for row in over} == {(viewer, 90) for viewer in theirs}
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_viewers WHERE left_at IS NULL") == 3
    await take_out(on.world)
    assert {one.identity for one in await on.rooms.list_participants(room)} == {f"viewer:{viewer}" for viewer in others}


async def test_the_admin_secret_alone_is_nobody(on: Setup) -> None:
    stream_id = await live_stream(on)
    with pytest.raises(Exception, match="x-hasura-user-id"):
        await ban_from_stream(on.world, Session("admin"), stream_id, BOB)
    assert await standing(on, stream_id, BOB) == []
