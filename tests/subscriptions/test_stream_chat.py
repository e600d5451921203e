"""The chat of a stream: two tables on one sequence, each event once and in order, and never what was deleted."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from permissions.expressions import And, Compare, Expression, Not, Or, Related, SessionVariable
from permissions.session import USER_ID, Session
from resolvers.actions.streams.chat_feed import CHAT as MESSAGES
from resolvers.actions.streams.chat_feed import FEED, NOT_DELETED, STREAMS
from resolvers.feeds.rights.sharing import audience, is_shared
from schema.tables.history import EPOCH
from tests.subscriptions.listening import Listeners
from tests.subscriptions.stream_chats import ANYBODY, CHAT, follow, moderate, say, stream, written
from tests.subscriptions.test_sharing import with_filter
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, product_rules, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

EVERYBODY = (ANYBODY, session(ALICE), session(BOB), session(MALLORY), session(MOD, "moderator"), Session("admin"))


def told(event: Any) -> tuple[int, str, str]:
    return event["seq"], event["kind"], event["messageId"]


def happened(rows: Sequence[Any]) -> list[tuple[int, str, str]]:
    return [(row["seq"], row["kind"], str(row["message_id"])) for row in rows]


def reaches(seq: int, got: Sequence[Any]) -> bool:
    return bool(got) and got[-1]["seq"] == seq


def contents(got: Sequence[Any]) -> list[str | None]:
    return [event["message"] and event["message"]["content"] for event in got]


async def test_an_event_as_it_is_sent(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on)
    message_id = await say(on.database, stream_id, BOB, "hello")
    await moderate(on.database, stream_id, message_id, "pinned")
    first, second = await follow(listen, session(CAROL), stream_id).count(2)
    at = await on.database.fetchval("SELECT to_json(created_at)::text FROM nchat_stream_chat")
    message = {
        "id": str(message_id),
        "content": "hello",
        "replyToId": None,
        "isHighlighted": False,
        "isPinned": True,
        "createdAt": at.strip('"'),
        "mediaSeconds": None,
        "author": {"id": str(BOB), "displayName": "Bob", "avatarUrl": None},
    }
    epoch = await on.database.fetchval(f"SELECT {EPOCH}")
    assert first == {"seq": 1, "epoch": epoch, "kind": "message", "messageId": str(message_id), "message": message}
    assert second == first | {"seq": 2, "kind": "pinned"}


async def write_at_random(on: Setup, stream_id: UUID, seed: int) -> None:
    """A foreign program with a connection of its own: now and then it does something to a message of its own, deleted ones too."""
    dice, mine = random.Random(seed), list[UUID]()  # noqa: S311
    by = await asyncpg.connect(on.url)
    try:
        for number in range(30):
            if mine and dice.random() < 0.4:
                await moderate(by, stream_id, dice.choice(mine), dice.choice(["pinned", "unpinned", "highlighted", "deleted"]))
            else:
                mine.append(await say(by, stream_id, dice.choice([ALICE, BOB, MALLORY]), f"{seed} says {number}"))
    finally:
        await by.close()


async def test_many_writers_and_every_follower_has_each_event_once_in_order(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on)
    listening = [follow(listen, who, stream_id) for who in EVERYBODY for _ in range(4)]
    await asyncio.gather(*(write_at_random(on, stream_id, seed) for seed in range(4)))
    rows = await written(on, stream_id)
    assert [row["seq"] for row in rows] == list(range(1, 121))
    assert any(row["is_deleted"] for row in rows)
    said = {str(row["message_id"]): row["content"] for row in rows}
    for listener in listening:
        got = await listener.count(120)
        assert list(map(told, got)) == happened(rows)
        assert all(event["message"] is None or event["message"]["content"] == said[event["messageId"]] for event in got)
    late = [(after, follow(listen, who, stream_id, after)) for who in EVERYBODY for after in (0, 57)]
    for after, listener in late:
        got = await listener.count(120 - after)
        assert contents(got) == [None if row["is_deleted"] else row["content"] for row in rows[after:]]


async def test_what_is_deleted_is_gone_for_whoever_comes_and_for_whoever_comes_back(on: Setup, listen: Listeners) -> None:
    """Although somebody follows there for whom it is held."""
    stream_id = await stream(on)
    lives = follow(listen, session(BOB), stream_id)
    for number in range(2):
        secret = await say(on.database, stream_id, MALLORY, f"secret {number}")
        await moderate(on.database, stream_id, secret, "pinned")
        await say(on.database, stream_id, BOB, "hello")
        done = 4 * number + 3
        await lives.until(partial(reaches, done))
        await moderate(on.database, stream_id, secret, "deleted")
        # No hint: nobody here can know of it yet.
        come = [follow(listen, who, stream_id, after) for who in EVERYBODY[:4] for after in (0, done - 3)]
        for listener in come:
            got = await listener.until(partial(reaches, done + 1))
            assert contents(got)[-4:] == [None, None, "hello", None]
            await listener.stop()
        await lives.until(partial(reaches, done + 1))
    again = follow(listen, session(BOB), stream_id)
    assert contents(await again.count(8)) == [None, None, "hello", None] * 2


async def test_a_slow_follower_is_not_given_what_was_deleted_meanwhile(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on)
    lives = follow(listen, session(BOB), stream_id)
    messages = [await say(on.database, stream_id, MALLORY, f"message {number}") for number in range(4)]
    await lives.count(4)
    async with aclosing(listen.raw(session(CAROL), CHAT, stream=str(stream_id), after=0)) as offers:
        got = [orjson.loads(await (await anext(offers)).take())]
        await moderate(on.database, stream_id, messages[2], "deleted")
        await lives.count(5)
        got += [orjson.loads(await (await anext(offers)).take()) for _ in range(4)]
    assert contents([one["data"]["streamChat"] for one in got]) == ["message 0", "message 1", None, "message 3", None]


async def test_in_whose_name_it_is_read_does_not_matter(on: Setup, listen: Listeners) -> None:
    """The first who follows is banned again and again: nobody else misses a word."""
    stream_id = await stream(on)
    others = follow(listen, session(CAROL), stream_id)
    for number in range(0, 6, 3):
        await others.stop()
        banned = follow(listen, session(DAVE), stream_id, number)
        await say(on.database, stream_id, BOB, "one")
        await banned.count(1)
        others = follow(listen, session(CAROL), stream_id, number)
        await others.count(1)
        ban = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
        await on.database.execute(ban, stream_id, DAVE, ALICE)
        await say(on.database, stream_id, BOB, "two")
        await say(on.database, stream_id, BOB, "three")
        assert contents(await others.count(3)) == ["one", "two", "three"]
        assert (await banned.ended(seconds=2)).code == "banned"
        assert contents(banned.got) == ["one"]
        await on.database.execute("UPDATE nchat_stream_bans SET lifted_at = now() WHERE lifted_at IS NULL")


@pytest.mark.parametrize("role", ["anonymous", "user", "moderator", "admin"])
async def test_the_products_rules_show_a_chat_to_all_alike(on: Setup, role: str) -> None:
    rules = (await product_rules(on.url)).roles[role]
    assert is_shared(FEED, rules)
    assert audience(FEED, rules, session(ALICE, role)) == audience(FEED, rules, session(BOB, role))


async def test_a_rule_that_shows_less_makes_an_audience_of_each(on: Setup) -> None:
    """What pages ask for themselves helps no rule that asks for something else."""
    rules = (await product_rules(on.url)).roles["user"]
    visible, own = Related("stream", rules.select[STREAMS].filter), Compare("user_id", "_eq", SessionVariable(USER_ID))
    alike: list[Expression] = [visible, And((visible, NOT_DELETED)), And((visible, Or((own, NOT_DELETED))))]
    differently: list[Expression] = [
        own,
        And((visible, own)),
        And((visible, Or((own, Not(NOT_DELETED))))),
        And((visible, Not(Or((NOT_DELETED, own))))),
    ]
    assert [is_shared(FEED, with_filter(rules, MESSAGES, filter_)) for filter_ in alike + differently] == [True] * 3 + [False] * 4


async def test_a_hidden_stream_and_one_that_never_was_look_the_same(on: Setup, listen: Listeners) -> None:
    stream_id = await stream(on, "channel_members")
    await say(on.database, stream_id, ALICE, "hello")
    before = await dump(on.database)
    for who in (session(MALLORY), ANYBODY):
        hidden, absent = [await follow(listen, who, asked).ended() for asked in (stream_id, uuid4())]
        assert (hidden.code, hidden.path) == ("not-found", "$.selectionSet.streamChat")
        assert hidden.answer() == absent.answer()
    assert await dump(on.database) == before
    assert contents(await follow(listen, session(BOB), stream_id).count(1)) == ["hello"]
