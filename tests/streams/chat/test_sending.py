"""Messages: numbered without a gap, once however often they are sent, and refused where nothing may be said."""

import asyncio
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from app.database.transactions import EngineTransactions, open_engine
from domain.errors import (
    ActionError,
    Banned,
    BlockedTerm,
    ChatDisabled,
    InvalidInput,
    NotFound,
    RateLimited,
    SlowMode,
    StreamNotLive,
)
from domain.streams.chat.bans import ban_from_stream
from domain.streams.chat.moderating import delete_stream_chat
from domain.streams.chat.sending import SentResult, send_stream_chat
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.streams.chat.live_stream import banned, happened, live_stream, made, message, refused, say
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, newcomers, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

SENDERS = 50


async def test_a_message_as_it_is_written(on: Setup) -> None:
    stream_id = await live_stream(on)
    first = await say(on, stream_id, BOB, "hello")
    on.publisher.topics()
    answer = await send_stream_chat(on.world, session(CAROL), stream_id, "Grüße 👋", first.message_id, uuid4())
    row = await message(on, answer.message_id)
    assert (answer.stream_id, answer.seq) == (stream_id, 2)
    assert (row["stream_id"], row["user_id"], row["seq"], row["content"]) == (stream_id, CAROL, 2, "Grüße 👋")
    assert (row["reply_to_id"], row["is_pinned"], row["is_highlighted"], row["is_deleted"]) == (first.message_id, False, False, False)
    assert on.publisher.topics() == {f"stream_chat:{stream_id}", "table:nchat_stream_chat"}


async def test_a_message_is_three_statements(on: Setup) -> None:
    """The author's lock, the question, and the row with its number; a repetition is two."""
    stream_id, known, sent = await live_stream(on), uuid4(), list[str]()
    async with open_engine(on.url) as engine:
        send = partial(send_stream_chat, replace(on.world, transaction=EngineTransactions(engine, on.publisher)), session(BOB), stream_id)
        await send("hello", None, known)
        sa.event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
        for one, statements in ((uuid4(), 3), (known, 2)):
            await send("hello", None, one)
            assert len(sent) == statements, "\n".join(sent)
            sent.clear()


async def test_fifty_at_once_leave_no_gap(on: Setup) -> None:
    """Some of them are refused meanwhile, and one after the other is done to what they say."""
    stream_id = await live_stream(on)
    people = await newcomers(on, SENDERS)
    first = await say(on, stream_id)
    turns = [say(on, stream_id, who, f"message {turn}") for turn in range(4) for who in people]
    sent, *_ = await asyncio.gather(
        asyncio.gather(*turns),
        asyncio.gather(*(_fails(on, stream_id, who) for who in people[:10])),
        delete_stream_chat(on.world, session(ALICE), first.message_id),
    )
    rows = await happened(on, stream_id)
    assert [seq for seq, _, _ in rows] == list(range(1, SENDERS * 4 + 3))
    assert {(one.seq, one.message_id) for one in sent} <= {(seq, message_id) for seq, _, message_id in rows}
    in_time = await on.database.fetch("SELECT seq FROM nchat_stream_chat WHERE stream_id = $1 ORDER BY created_at", stream_id)
    assert [row["seq"] for row in in_time] == sorted(row["seq"] for row in in_time)


async def _fails(on: Setup, stream_id: UUID, who: UUID) -> None:
    with pytest.raises(NotFound):
        await send_stream_chat(on.world, session(who), stream_id, "an answer to nothing", uuid4())


async def test_two_streams_do_not_wait_for_each_other_and_count_for_themselves(on: Setup) -> None:
    one, other = await live_stream(on), await live_stream(on)
    async with on.database.transaction():
        await on.database.execute("UPDATE nchat_stream_counters SET chat_seq = chat_seq WHERE stream_id = $1", one)
        async with asyncio.timeout(5):
            assert (await say(on, other)).seq == 1
    assert (await say(on, one)).seq == 1


async def test_sent_twice_at_once_it_is_one_message(on: Setup) -> None:
    stream_id, mine = await live_stream(on), uuid4()
    twice = [send_stream_chat(on.world, session(BOB), stream_id, "hello", None, mine) for _ in range(10)]
    other = send_stream_chat(on.world, session(CAROL), stream_id, "hello", None, mine)
    answers, hers = await asyncio.gather(asyncio.gather(*twice), other)
    assert len({(answer.message_id, answer.seq) for answer in answers}) == 1
    assert hers.message_id != answers[0].message_id
    assert [seq for seq, _, _ in await happened(on, stream_id)] == [1, 2]


@pytest.mark.parametrize("since", ["status = 'ended'", "chat_enabled = false", "slow_mode_seconds = 600"])
async def test_what_was_written_stays_the_answer(on: Setup, since: str) -> None:
    stream_id, mine = await live_stream(on), uuid4()
    send = partial(send_stream_chat, on.world, session(BOB), stream_id, "hello", None, mine)
    first = await send()
    await on.database.execute(f"UPDATE nchat_streams SET {since}")
    before = await dump(on.database)
    assert await send() == first
    assert await dump(on.database) == before
    await banned(on, stream_id, BOB)
    assert isinstance(await refused(on, send), Banned)


REFUSED: dict[str, tuple[dict[str, object], UUID, str, type[ActionError]]] = {
    "a stream that somebody else sees": ({"visibility": "channel_members"}, MALLORY, "hello", NotFound),
    "a stream for the invited": ({"visibility": "invite_only"}, BOB, "hello", NotFound),
    "a planned stream": ({"status": "scheduled"}, ALICE, "hello", StreamNotLive),
    "a stream that begins": ({"status": "starting"}, BOB, "hello", StreamNotLive),
    "a stream that is over": ({"status": "ended"}, BOB, "hello", StreamNotLive),
    "a chat that is off": ({"chat": False}, BOB, "hello", ChatDisabled),
    "a chat that is off for its host": ({"chat": False}, ALICE, "hello", ChatDisabled),
    "nothing": ({}, BOB, "", InvalidInput),
    "white space": ({}, BOB, " \n\t\u00a0", InvalidInput),
    "nothing to be seen": ({}, BOB, "\u200b\u200d\u3164\ufe0f", InvalidInput),
    "501 characters": ({}, BOB, "ä" * 501, InvalidInput),
    "what can't be stored": ({}, BOB, "a\0b", InvalidInput),
    "nobody whom a row knows": ({}, uuid4(), "hello", InvalidInput),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_may_not_be_said(on: Setup, case: str) -> None:
    options, who, content, refusal = REFUSED[case]
    stream_id = await live_stream(on, **options)  # type: ignore[arg-type]
    assert type(await refused(on, partial(say, on, stream_id, who, content))) is refusal


async def test_500_characters_are_a_message(on: Setup) -> None:
    content = "🎉" * 500
    assert (await message(on, (await say(on, await live_stream(on), BOB, content)).message_id))["content"] == content


async def test_a_hidden_stream_looks_like_none(on: Setup) -> None:
    hidden = await refused(on, partial(say, on, await live_stream(on, "channel_members"), MALLORY))
    absent = await refused(on, partial(say, on, uuid4(), MALLORY))
    assert (type(hidden), hidden.sentence, hidden.extra) == (NotFound, absent.sentence, absent.extra)


async def test_who_is_banned_hears_so_where_the_stream_would_be_seen(on: Setup) -> None:
    public, members = await live_stream(on), await live_stream(on, "channel_members")
    for who in (BOB, MALLORY):
        await banned(on, public, who)
        await banned(on, members, who)
        assert type(await refused(on, partial(say, on, public, who))) is Banned
    assert type(await refused(on, partial(say, on, members, BOB))) is Banned
    assert type(await refused(on, partial(say, on, members, MALLORY))) is NotFound
    await on.database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
    assert (await say(on, members, BOB)).seq == 1


async def test_no_ban_is_asked_about_a_moderator(on: Setup) -> None:
    stream_id = await live_stream(on, "invite_only")
    await banned(on, stream_id, MOD)
    assert (await send_stream_chat(on.world, session(MOD, "moderator"), stream_id, "hello")).seq == 1


async def test_nobody_speaks_without_being_someone(on: Setup) -> None:
    stream_id = await live_stream(on)
    before = await dump(on.database)
    for role in ("anonymous", "user", "admin"):
        with pytest.raises(GraphQLRefusal, match="x-hasura-user-id"):
            await send_stream_chat(on.world, Session(role), stream_id, "hello")
    assert await dump(on.database) == before


async def test_an_answer_is_to_a_message_that_is_there(on: Setup) -> None:
    stream_id, other = await live_stream(on), await live_stream(on)
    elsewhere, deleted = (await say(on, other)).message_id, (await say(on, stream_id)).message_id
    await delete_stream_chat(on.world, session(ALICE), deleted)
    for reply_to in (elsewhere, deleted, uuid4()):
        answer = partial(send_stream_chat, on.world, session(BOB), stream_id, "an answer", reply_to)
        assert isinstance(await refused(on, answer), NotFound)


async def test_slow_mode_makes_a_person_wait(on: Setup) -> None:
    stream_id = await live_stream(on, slow=30)
    last = await say(on, stream_id, BOB)
    refusal = await refused(on, partial(say, on, stream_id, BOB))
    assert isinstance(refusal, SlowMode)
    assert 25 < refusal.retry_after <= 30
    assert refusal.extra == {"retryAfter": refusal.retry_after}
    await say(on, stream_id, CAROL)
    await on.database.execute("UPDATE nchat_stream_chat SET created_at = now() - interval '31 s' WHERE id = $1", last.message_id)
    assert (await say(on, stream_id, BOB)).seq == 3


async def test_in_slow_mode_one_of_many_at_once_is_written(on: Setup) -> None:
    stream_id = await live_stream(on, slow=600)
    answers = await asyncio.gather(*(say(on, stream_id, BOB, f"number {number}") for number in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == [SentResult.__name__, *[SlowMode.__name__] * 7]
    assert [seq for seq, _, _ in await happened(on, stream_id)] == [1]


async def test_slow_mode_is_not_for_who_keeps_order(on: Setup) -> None:
    stream_id = await live_stream(on, slow=600)
    await made(on, DAVE, "moderator")
    for who in (session(ALICE), session(DAVE), session(MOD, "moderator"), session(CAROL, "admin")):
        for _ in range(2):
            await send_stream_chat(on.world, who, stream_id, "hello")
    assert len(await happened(on, stream_id)) == 8


async def test_who_keeps_order_may_write_more(on: Setup) -> None:
    stream_id = await live_stream(on)
    await made(on, DAVE, "admin")
    on.limiter.used_up.add("chat")
    for who in (session(ALICE), session(DAVE), session(MOD, "moderator")):
        await send_stream_chat(on.world, who, stream_id, "hello")
    refusal = await refused(on, partial(say, on, stream_id, BOB))
    assert isinstance(refusal, RateLimited)
    assert refusal.extra == {"retryAfter": 2.5}
    on.limiter.used_up.add("chat_moderator")
    assert isinstance(await refused(on, partial(say, on, stream_id, ALICE)), RateLimited)
    assert {key for _, key in on.limiter.hits} == {str(who) for who in (ALICE, BOB, DAVE, MOD)}


async def test_blocked_terms_are_those_of_the_channel_as_they_are_now(on: Setup) -> None:
    stream_id = await live_stream(on)
    settle = """INSERT INTO nchat_channel_call_settings (channel_id, blocked_terms) SELECT id, $1 FROM nchat_channels
        ON CONFLICT (channel_id) DO UPDATE SET blocked_terms = excluded.blocked_terms"""
    await on.database.execute(settle, ["rotten apple", "pear"])
    for who, content in ((BOB, "you are a R.0.T.T.€.N  äpple"), (ALICE, "a pеar"), (CAROL, "P E A R")):
        assert isinstance(await refused(on, partial(say, on, stream_id, who, content)), BlockedTerm)
    assert isinstance(await refused(on, partial(send_stream_chat, on.world, session(MOD, "moderator"), stream_id, "pear")), BlockedTerm)
    await say(on, stream_id, BOB, "pearls and apples")
    await on.database.execute(settle, ["plum"])
    await say(on, stream_id, BOB, "pear")
    assert isinstance(await refused(on, partial(say, on, stream_id, BOB, "plum")), BlockedTerm)
    await on.database.execute(settle, [])
    await say(on, stream_id, BOB, "plum")


async def test_after_a_ban_nothing_of_the_person_is_written_any_more(on: Setup) -> None:
    """However many messages are on their way."""
    stream_id = await live_stream(on)

    async def ban() -> int:
        await ban_from_stream(on.world, session(ALICE), stream_id, BOB)
        count: int = await on.database.fetchval("SELECT count(*) FROM nchat_stream_chat")
        return count

    sending = [say(on, stream_id, BOB, f"number {number}") for number in range(30)]
    written, *answers = await asyncio.gather(ban(), *sending, return_exceptions=True)
    assert written == await on.database.fetchval("SELECT count(*) FROM nchat_stream_chat")
    assert sum(isinstance(answer, SentResult) for answer in answers) == written
    assert {type(answer) for answer in answers} <= {SentResult, Banned}
