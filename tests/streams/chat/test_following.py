"""What the actions write arrives at those who follow, and whom they put out follows no more."""

import asyncio
from uuid import uuid4

import pytest

from domain.streams.chat.bans import ban_from_stream, expire_bans, unban_from_stream
from domain.streams.chat.moderating import delete_stream_chat, pin_stream_chat
from tests.streams.chat.live_stream import happened, live_stream, say
from tests.subscriptions.listening import Listeners
from tests.subscriptions.stream_chats import ANYBODY, follow
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, newcomers, session

pytestmark = pytest.mark.anyio

IN_TIME = 2.0


async def test_whatever_is_done_is_told_in_order_to_all(on: Setup, listen: Listeners) -> None:
    stream_id = await live_stream(on)
    following = [follow(listen, who, stream_id) for who in (ANYBODY, session(BOB), session(MALLORY), session(MOD, "moderator"))]
    sent = await asyncio.gather(*(say(on, stream_id, who, f"{turn}") for turn in range(5) for who in (ALICE, BOB, CAROL)))
    await pin_stream_chat(on.world, session(ALICE), sent[0].message_id)
    await delete_stream_chat(on.world, session(ALICE), sent[1].message_id)
    truth = [(seq, kind, str(message_id)) for seq, kind, message_id in await happened(on, stream_id)]
    assert len(truth) == 17
    for listener in following:
        got = await listener.count(17)
        assert [(event["seq"], event["kind"], event["messageId"]) for event in got] == truth
    late = await follow(listen, session(CAROL), stream_id).count(17)
    unseen = {event["messageId"] for event in late if event["message"] is None}
    assert unseen == {str(sent[1].message_id)}


@pytest.mark.parametrize("others", [0, 60], ids=["a few follow", "many follow"])
async def test_whoever_is_banned_follows_no_more_within_two_seconds(on: Setup, listen: Listeners, others: int) -> None:
    stream_id = await live_stream(on)
    people = [session(who) for who in await newcomers(on, others)]
    following = [follow(listen, who, stream_id) for who in (*people, session(CAROL), ANYBODY, session(MOD, "moderator"))]
    banned = [follow(listen, session(BOB), stream_id) for _ in range(2)]
    await say(on, stream_id, ALICE, "before")
    await asyncio.gather(*(listener.count(1) for listener in (*following, *banned)))
    await ban_from_stream(on.world, session(ALICE), stream_id, BOB, seconds=60)
    for listener in banned:
        assert (await listener.ended(seconds=IN_TIME)).code == "banned"
    await say(on, stream_id, ALICE, "after")
    for listener in following:
        assert [event["message"]["content"] for event in await listener.count(2)] == ["before", "after"]
    assert [len(listener.got) for listener in banned] == [1, 1]
    assert (await follow(listen, session(BOB), stream_id).ended()).code == "banned"
    on.clock.advance(61)
    assert await expire_bans(on.world) == 1
    assert len(await follow(listen, session(BOB), stream_id).count(2)) == 2


async def test_where_the_stream_would_be_hidden_anyway_there_is_none(on: Setup, listen: Listeners) -> None:
    """Whether it became so before the ban or after it."""
    absent = (await follow(listen, session(MALLORY), uuid4()).ended()).answer()
    stream_id = await live_stream(on)
    running = follow(listen, session(MALLORY), stream_id)
    await say(on, stream_id)
    await running.count(1)
    async with on.database.transaction():
        await on.database.execute("UPDATE nchat_streams SET visibility = 'channel_members'")
        ban = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
        await on.database.execute(ban, stream_id, MALLORY, ALICE)
    assert (await running.ended(seconds=IN_TIME)).answer() == absent
    await unban_from_stream(on.world, session(ALICE), stream_id, MALLORY)
    assert (await follow(listen, session(MALLORY), stream_id).ended()).answer() == absent
