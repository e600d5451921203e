"""Viewers say that they still watch: many at a moment are one transaction, and who lost the right is told so."""

import asyncio

import pytest

from domain.errors import Banned, NotFound, StreamNotLive
from domain.streams.viewers import heartbeats
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.leaving import leave_stream
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, Counts, banned, invited, joins, live, refused, tallies, viewer
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, session

pytestmark = pytest.mark.anyio
MANY = 200


async def test_many_at_once_are_a_few_transactions(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    stream_id = await live(on)
    joined = await asyncio.gather(*(joins(on, ANYBODY, stream_id) for _ in range(MANY)))
    batches: list[int] = []
    write = heartbeats.write

    async def counted(world: object, beats: list[object]) -> object:
        batches.append(len(beats))
        return await write(world, beats)  # type: ignore[arg-type]

    monkeypatch.setattr(heartbeats, "write", counted)
    on.clock.advance(10)
    await asyncio.gather(*(heartbeat_stream(on.world, ANYBODY, one.session_id) for one in joined))
    assert (sum(batches), len(batches) <= 2) == (MANY, True)
    seen = await on.database.fetch("SELECT DISTINCT seen_at, watch_duration FROM nchat_stream_viewers")
    assert [(row["seen_at"], row["watch_duration"]) for row in seen] == [(on.clock.now(), 10)]
    assert await tallies(on, stream_id) == Counts(MANY, MANY, MANY)


async def test_a_session_is_its_viewers_alone(on: Setup) -> None:
    stream_id = await live(on)
    bobs, anybodys = await joins(on, session(BOB), stream_id), await joins(on, ANYBODY, stream_id)
    on.clock.advance(10)
    for who, session_id in (
        (session(CAROL), bobs.session_id),
        (ANYBODY, bobs.session_id),
        (session(BOB), anybodys.session_id),
        (session(BOB), "no such session"),
        (session(BOB), "\0"),
    ):
        await refused(on, heartbeat_stream(on.world, who, session_id), NotFound)
        await refused(on, leave_stream(on.world, who, session_id), NotFound)
    assert (await heartbeat_stream(on.world, session(BOB), bobs.session_id)).id == bobs.viewer_id
    # Who signed in meanwhile as a moderator is the same person.
    assert (await heartbeat_stream(on.world, session(BOB, "moderator"), bobs.session_id)).id == bobs.viewer_id


async def test_leaving_twice_is_leaving_once_and_ends_the_session(on: Setup) -> None:
    stream_id = await live(on)
    joined = await joins(on, session(BOB), stream_id)
    on.clock.advance(7.9)
    await leave_stream(on.world, session(BOB), joined.session_id)
    left = await viewer(on, joined.viewer_id)
    assert (left["left_at"], left["watch_duration"]) == (on.clock.now(), 7)
    on.clock.advance(1)
    assert (await leave_stream(on.world, session(BOB), joined.session_id)).id == joined.viewer_id
    assert await viewer(on, joined.viewer_id) == left
    assert await tallies(on, stream_id) == Counts(0, 1, 1)
    await refused(on, heartbeat_stream(on.world, session(BOB), joined.session_id), NotFound)


async def test_who_may_not_see_the_stream_any_more_is_told_and_out(on: Setup) -> None:
    stream_id = await live(on, "invite_only")
    await invited(on, stream_id, BOB)
    await invited(on, stream_id, CAROL)
    bobs, carols, hosts = [await joins(on, session(who), stream_id) for who in (BOB, CAROL, ALICE)]
    await on.database.execute("DELETE FROM nchat_stream_invites WHERE user_id = $1", BOB)
    await banned(on, stream_id, CAROL)
    beats = [(BOB, bobs), (CAROL, carols), (ALICE, hosts)]
    told = await asyncio.gather(
        *(heartbeat_stream(on.world, session(who), joined.session_id) for who, joined in beats), return_exceptions=True
    )
    assert [type(one) for one in told[:2]] == [NotFound, Banned]
    assert not isinstance(told[2], BaseException)
    assert await tallies(on, stream_id) == Counts(1, 3, 3)


async def test_when_the_stream_is_over_its_viewers_are_told(on: Setup) -> None:
    stream_id = await live(on)
    joined = await joins(on, ANYBODY, stream_id)
    await on.database.execute("UPDATE nchat_streams SET status = 'ended', ended_at = now()")
    with pytest.raises(StreamNotLive):
        await heartbeat_stream(on.world, ANYBODY, joined.session_id)
    assert (await tallies(on, stream_id)).viewers == 0


async def test_one_unreadable_token_is_its_owners_trouble(on: Setup) -> None:
    stream_id = await live(on)
    joined = await joins(on, ANYBODY, stream_id)
    bad = Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "nobody"})
    outcomes = await asyncio.gather(
        heartbeat_stream(on.world, bad, joined.session_id),
        heartbeat_stream(on.world, ANYBODY, joined.session_id),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], Exception)
    assert not isinstance(outcomes[1], BaseException)
