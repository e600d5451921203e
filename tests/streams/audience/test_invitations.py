"""The host says who sees a stream that is for the invited, and sees who watches."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID, uuid4

import pytest

from domain.errors import Banned, InvalidInput, NotAllowed, NotFound
from domain.streams.viewers.invitations import MOST, invite_to_stream, uninvite_from_stream
from domain.streams.viewers.listing import stream_viewers
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, banned, invited, joins, live, refused
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio
HOST = session(ALICE)


async def invitees(on: Setup) -> set[object]:
    return {row["user_id"] for row in await on.database.fetch("SELECT user_id FROM nchat_stream_invites")}


async def test_the_invited_see_it_and_the_uninvited_do_not(on: Setup) -> None:
    stream_id = await live(on, "invite_only")
    await refused(on, joins(on, session(MALLORY), stream_id), NotFound)
    answers = await asyncio.gather(*(invite_to_stream(on.world, HOST, stream_id, [MALLORY, BOB, MALLORY]) for _ in range(3)))
    assert {answer.user_ids for answer in answers} == {(MALLORY, BOB)}
    assert await invitees(on) == {MALLORY, BOB}
    await joins(on, session(MALLORY), stream_id)
    on.publisher.topics()
    await uninvite_from_stream(on.world, HOST, stream_id, [MALLORY, CAROL])
    assert {f"stream:{stream_id}", f"stream_chat:{stream_id}"} <= on.publisher.topics()
    assert await invitees(on) == {BOB}
    await refused(on, joins(on, session(MALLORY), stream_id), NotFound)
    await uninvite_from_stream(on.world, HOST, stream_id, [MALLORY])


async def test_where_it_is_public_the_uninvited_watch_on(on: Setup) -> None:
    stream_id = await live(on)
    await invited(on, stream_id, BOB)
    await joins(on, session(BOB), stream_id)
    await uninvite_from_stream(on.world, HOST, stream_id, [BOB])
    assert (await stream_viewers(on.world, HOST, stream_id)).total == 1


@pytest.mark.parametrize("name", ["invite", "uninvite", "viewers"])
async def test_nobody_else_is_the_host(on: Setup, name: str) -> None:
    stream_id, hidden = await live(on), await live(on, "invite_only")
    await invited(on, stream_id, CAROL)
    await banned(on, stream_id, MALLORY)

    def ask(who: Session, stream: UUID) -> Awaitable[object]:
        if name == "viewers":
            return stream_viewers(on.world, who, stream)
        act = invite_to_stream if name == "invite" else uninvite_from_stream
        return act(on.world, who, stream, [CAROL])

    for who in (session(BOB), session(CAROL), session(MOD, "moderator")):
        await refused(on, ask(who, stream_id), NotAllowed)
    await refused(on, ask(session(MALLORY), stream_id), Banned)
    for who, stream in ((session(BOB), hidden), (ANYBODY, hidden), (session(BOB), uuid4())):
        await refused(on, ask(who, stream), NotFound)


async def test_only_people_who_are_known(on: Setup) -> None:
    stream_id = await live(on, "invite_only")
    await refused(on, invite_to_stream(on.world, HOST, stream_id, [BOB, uuid4()]), NotFound)
    for act in (invite_to_stream, uninvite_from_stream):
        await refused(on, act(on.world, HOST, stream_id, []), InvalidInput)
        await refused(on, act(on.world, HOST, stream_id, [BOB] * (MOST + 1)), InvalidInput)
    with pytest.raises(GraphQLRefusal):
        await invite_to_stream(on.world, Session("admin"), stream_id, [BOB])
    await invite_to_stream(on.world, session(MOD, "admin"), stream_id, [BOB])
    assert await on.database.fetchval("SELECT invited_by FROM nchat_stream_invites") == MOD


async def test_the_host_sees_who_watches(on: Setup) -> None:
    stream_id = await live(on)
    first = await joins(on, session(BOB), stream_id)
    on.clock.advance(1)
    second = await joins(on, ANYBODY, stream_id)
    audience = await stream_viewers(on.world, HOST, stream_id)
    assert (audience.total, audience.authenticated) == (2, 1)
    assert list(audience.viewer_ids) == [second.viewer_id, first.viewer_id]
    assert (await stream_viewers(on.world, Session("admin"), stream_id)).total == 2
