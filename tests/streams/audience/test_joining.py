"""A viewer begins to watch: whoever sees a live stream, and nobody else."""

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.database.transactions import EngineTransactions, open_engine
from domain.errors import Banned, InvalidInput, MediaUnavailable, NotAllowed, NotFound, RateLimited, StreamNotLive
from domain.ports import MediaError
from domain.streams.actions.token import refresh_stream_token
from domain.streams.viewers.joining import Joined, join_stream
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.rows import hashed
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, Counts, banned, counts, invited, joins, live, refused, tallies, viewer
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio
MANY = 200
OVER_OR_NOT_YET = ("scheduled", "starting", "ending", "ended")


async def test_a_session_is_known_by_its_hash_alone(on: Setup) -> None:
    stream_id = await live(on)
    joined = await join_stream(on.world, session(BOB), stream_id, "phone")
    row = await viewer(on, joined.viewer_id)
    assert row["session_id"] == hashed(joined.session_id)
    assert (row["user_id"], row["role"], row["device_type"], row["webrtc"]) == (BOB, "user", "phone", False)
    assert row["joined_at"] == row["seen_at"] == on.clock.now()
    assert joined.ticket is None
    again = await join_stream(on.world, session(BOB), stream_id)
    assert again.session_id != joined.session_id
    assert await tallies(on, stream_id) == Counts(2, 2, 2)
    assert await counts(on, stream_id) == Counts(0, 0, 0)


async def test_anybody_watches_what_is_public_a_few_times_a_minute_from_an_address(on: Setup) -> None:
    stream_id = await live(on)
    joined = await joins(on, ANYBODY, stream_id)
    assert (await viewer(on, joined.viewer_id))["user_id"] is None
    assert on.limiter.hits == [("anonymous_join", "address 192.0.2.1")]
    on.limiter.used_up.add("anonymous_join")
    await refused(on, joins(on, ANYBODY, stream_id), RateLimited)
    await joins(on, session(BOB), stream_id)
    assert on.limiter.hits[-1] == ("token", str(BOB))


async def test_by_webrtc_one_watches_unseen_and_unheard(on: Setup) -> None:
    stream_id = await live(on)
    room = await on.database.fetchval("SELECT room_name FROM nchat_streams")
    joined = await joins(on, ANYBODY, stream_id, webrtc=True)
    assert joined.ticket is not None
    identity = f"viewer:{joined.viewer_id}"
    assert joined.ticket.token.startswith(f"{room}/{identity}/")
    grant = on.tokens.signed[identity]
    assert (grant.sources, grant.subscribe, grant.data, grant.audience) == ((), True, False, True)
    assert (await viewer(on, joined.viewer_id))["webrtc"]


async def test_without_a_media_server_nobody_watches_by_webrtc(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: object, **_: object) -> None:
        raise MediaError

    monkeypatch.setattr(type(on.tokens), "sign", fails)
    stream_id = await live(on)
    await refused(on, joins(on, session(BOB), stream_id, webrtc=True), MediaUnavailable)
    assert (await joins(on, session(BOB), stream_id)).ticket is None


@pytest.mark.parametrize("visibility", ["channel_members", "invite_only"])
async def test_who_may_not_see_it_learns_nothing(on: Setup, visibility: str) -> None:
    stream_id = await live(on, visibility)
    await invited(on, stream_id, CAROL)
    absent = await refused(on, joins(on, session(MALLORY), MALLORY), NotFound)
    for who in (session(MALLORY), ANYBODY):
        hidden = await refused(on, joins(on, who, stream_id), NotFound)
        assert hidden.sentence == absent.sentence
    for who in (session(ALICE), session(CAROL), session(MOD, "moderator"), Session("admin")):
        await joins(on, who, stream_id)
    assert (await tallies(on, stream_id)).viewers == 4


async def test_the_banned_are_told_where_they_would_see_it(on: Setup) -> None:
    public, hidden = await live(on), await live(on, "channel_members")
    for stream_id in (public, hidden):
        await banned(on, stream_id, MALLORY)
    await refused(on, joins(on, session(MALLORY), public), Banned)
    await refused(on, joins(on, session(MALLORY), hidden), NotFound)


@pytest.mark.parametrize("status", OVER_OR_NOT_YET)
async def test_only_what_is_live_is_watched(on: Setup, status: str) -> None:
    await refused(on, joins(on, session(BOB), await live(on, status=status)), StreamNotLive)


async def test_what_makes_no_sense(on: Setup) -> None:
    stream_id = await live(on)
    for device_type in ("x" * 51, "a\0b"):
        await refused(on, join_stream(on.world, session(BOB), stream_id, device_type), InvalidInput)
    await refused(on, joins(on, session(stream_id), stream_id), InvalidInput)
    with pytest.raises(GraphQLRefusal):
        await joins(on, Session("user"), stream_id)
    assert await tallies(on, stream_id) == Counts(0, 0, 0)


async def test_another_token_for_the_session_that_watches_by_webrtc(on: Setup) -> None:
    stream_id = await live(on)
    await joins(on, session(CAROL), stream_id)
    joined = await joins(on, session(BOB), stream_id, webrtc=True)
    ticket = await refresh_stream_token(on.world, session(BOB), stream_id)
    assert f"/viewer:{joined.viewer_id}/" in ticket.token
    assert joined.ticket is not None and ticket.token != joined.ticket.token
    for who in (session(CAROL), session(MALLORY), session(MOD, "moderator")):
        await refused(on, refresh_stream_token(on.world, who, stream_id), NotAllowed)
    await banned(on, stream_id, MALLORY)
    await refused(on, refresh_stream_token(on.world, session(MALLORY), stream_id), Banned)
    await leave_stream(on.world, session(BOB), joined.session_id)
    await refused(on, refresh_stream_token(on.world, session(BOB), stream_id), NotAllowed)


async def test_many_who_come_at_once_are_a_few_statements(on: Setup) -> None:
    """And each hears what came of the own join."""
    stream_id, sent = await live(on), list[str]()
    await banned(on, stream_id, MALLORY)
    people = [ANYBODY, session(BOB), session(MOD, "moderator"), session(MALLORY), session(stream_id)]
    async with open_engine(on.url) as engine:
        world = replace(on.world, transaction=EngineTransactions(engine, on.publisher))
        sa.event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
        crowd = [join_stream(world, people[number % len(people)], stream_id, webrtc=number % 2 == 0) for number in range(MANY)]
        told = await asyncio.gather(*crowd, return_exceptions=True)
    kinds = [type(one) for one in told[: len(people)]]
    assert kinds == [Joined, Joined, Joined, Banned, InvalidInput]
    assert [type(one) for one in told] == kinds * (MANY // len(people))
    came = [one for one in told if isinstance(one, Joined)]
    assert len({one.session_id for one in came}) == len({one.viewer_id for one in came}) == len(came)
    rows = {row["id"]: row for row in await on.database.fetch("SELECT * FROM nchat_stream_viewers")}
    for number, one in enumerate(told):
        if isinstance(one, Joined):
            who, row = people[number % len(people)], rows[one.viewer_id]
            assert (row["session_id"], row["role"], row["webrtc"]) == (hashed(one.session_id), who.role, number % 2 == 0)
            assert str(row["user_id"]) == who.variables.get("x-hasura-user-id", "None")
            assert (one.ticket is not None) == (number % 2 == 0)
    assert await tallies(on, stream_id) == Counts(len(came), len(came), len(came))
    # The first at once, the others together: three roles, the ways in, the rows.
    assert len(sent) <= 2 * 5, sent


async def test_joins_of_one_stream_wait_for_those_of_no_other(on: Setup) -> None:
    held, free = await live(on), await live(on)
    async with on.database.transaction():
        await on.database.execute("SELECT FROM nchat_stream_tallies WHERE stream_id = $1 FOR UPDATE", held)
        waiting = asyncio.create_task(joins(on, ANYBODY, held))
        assert (await joins(on, ANYBODY, free)).stream_id == free
        assert not waiting.done()
    assert (await waiting).stream_id == held
