"""Pinned, unpinned, highlighted, deleted: by whom, told once, and nothing is shown again that was taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.errors import ActionError, Banned, InvalidInput, NotAllowed, NotFound
from domain.streams.chat.moderating import (
    MessageResult,
    delete_stream_chat,
    highlight_stream_chat,
    pin_stream_chat,
    unpin_stream_chat,
)
from domain.streams.chat.sending import SentResult, send_stream_chat
from domain.world import World
from permissions.session import Session
from tests.streams.chat.live_stream import banned, happened, live_stream, made, message, refused, say
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio

Act = Callable[[World, Session, UUID], Awaitable[MessageResult]]
MARKS: dict[str, Act] = {"pinned": pin_stream_chat, "unpinned": unpin_stream_chat, "highlighted": highlight_stream_chat}
ALL: dict[str, Act] = {**MARKS, "deleted": delete_stream_chat}
KEEPERS = {"host": session(ALICE), "channel": session(DAVE), "moderator": session(MOD, "moderator"), "admin": session(CAROL, "admin")}


async def said(on: Setup, who: UUID = BOB, **options: object) -> tuple[UUID, UUID]:
    """A stream and a message at it; dave is a moderator of the channel."""
    await made(on, DAVE, "moderator")
    stream_id = await live_stream(on, **options)  # type: ignore[arg-type]
    return stream_id, (await say(on, stream_id, who)).message_id


@pytest.mark.parametrize("keeper", KEEPERS)
async def test_who_keeps_order_does_all_of_it_and_each_is_told_once(on: Setup, keeper: str) -> None:
    stream_id, message_id = await said(on)
    on.publisher.topics()
    for act in (pin_stream_chat, pin_stream_chat, highlight_stream_chat, highlight_stream_chat, unpin_stream_chat, unpin_stream_chat):
        assert await act(on.world, KEEPERS[keeper], message_id) == MessageResult(stream_id, message_id)
    row = await message(on, message_id)
    assert (row["is_pinned"], row["is_highlighted"], row["is_deleted"], row["deleted_by"]) == (False, True, False, None)
    await pin_stream_chat(on.world, KEEPERS[keeper], message_id)
    for _ in range(2):
        await delete_stream_chat(on.world, KEEPERS[keeper], message_id)
    row = await message(on, message_id)
    assert (row["is_pinned"], row["is_deleted"], row["deleted_by"]) == (False, True, KEEPERS[keeper].user_id)
    kinds = ["message", "pinned", "highlighted", "unpinned", "pinned", "deleted"]
    assert await happened(on, stream_id) == [(seq, kind, message_id) for seq, kind in enumerate(kinds, 1)]
    assert on.publisher.topics() == {f"stream_chat:{stream_id}", "table:nchat_stream_chat"}


async def test_an_author_takes_back_what_is_their_own(on: Setup) -> None:
    stream_id, message_id = await said(on, status="live")
    await on.database.execute("UPDATE nchat_streams SET status = 'ended', chat_enabled = false")
    for _ in range(2):
        await delete_stream_chat(on.world, session(BOB), message_id)
    assert (await message(on, message_id))["deleted_by"] == BOB
    assert [kind for _, kind, _ in await happened(on, stream_id)] == ["message", "deleted"]


async def test_who_only_watches_does_nothing_to_others(on: Setup) -> None:
    _, message_id = await said(on)
    for act in ALL.values():
        for who in (CAROL, MALLORY):
            assert isinstance(await refused(on, partial(act, on.world, session(who), message_id)), NotAllowed)


async def test_an_author_marks_nothing(on: Setup) -> None:
    _, message_id = await said(on)
    for act in MARKS.values():
        assert isinstance(await refused(on, partial(act, on.world, session(BOB), message_id)), NotAllowed)


async def test_what_is_hidden_and_what_never_was_look_the_same(on: Setup) -> None:
    _, message_id = await said(on, visibility="channel_members")
    for act in ALL.values():
        hidden, absent = [await refused(on, partial(act, on.world, session(MALLORY), asked)) for asked in (message_id, uuid4())]
        assert (type(hidden), hidden.sentence, hidden.extra) == (NotFound, absent.sentence, absent.extra)


async def test_the_banned_do_nothing_not_even_to_their_own(on: Setup) -> None:
    stream_id, message_id = await said(on)
    await banned(on, stream_id, BOB)
    for act in ALL.values():
        assert isinstance(await refused(on, partial(act, on.world, session(BOB), message_id)), Banned)


async def test_nothing_is_done_to_what_is_deleted(on: Setup) -> None:
    _, message_id = await said(on)
    await delete_stream_chat(on.world, session(BOB), message_id)
    expected: dict[UUID, type[ActionError]] = {ALICE: InvalidInput, DAVE: InvalidInput, BOB: NotAllowed, CAROL: NotFound}
    for act in MARKS.values():
        for who, refusal in expected.items():
            assert type(await refused(on, partial(act, on.world, session(who), message_id))) is refusal


@pytest.mark.parametrize("kind", ["pinned", "highlighted", "deleted"])
async def test_ten_at_once_are_one(on: Setup, kind: str) -> None:
    stream_id, message_id = await said(on)
    await asyncio.gather(*(ALL[kind](on.world, KEEPERS[name], message_id) for name in [*KEEPERS, *KEEPERS]))
    assert [what for _, what, _ in await happened(on, stream_id)] == ["message", kind]


async def test_all_at_once_beside_those_who_answer(on: Setup) -> None:
    """Answers refer to what is pinned and deleted meanwhile: nobody waits for another for ever."""
    stream_id, message_id = await said(on)
    answer = partial(send_stream_chat, on.world, stream_id=stream_id, reply_to_id=message_id)
    others = [answer(session=session(who), content=f"{turn}") for turn in range(10) for who in (ALICE, BOB, CAROL)]
    acts = [act(on.world, session(ALICE), message_id) for act in (pin_stream_chat, unpin_stream_chat, highlight_stream_chat) * 5]
    async with asyncio.timeout(20):
        deleted = delete_stream_chat(on.world, session(BOB), message_id)
        outcomes = await asyncio.gather(*others, *acts, deleted, return_exceptions=True)
    # Whoever comes after the deletion is told so; nobody meets a deadlock.
    assert {type(one) for one in outcomes} <= {SentResult, MessageResult, NotFound, InvalidInput}
    rows = await happened(on, stream_id)
    assert [seq for seq, _, _ in rows] == list(range(1, len(rows) + 1))
    assert [kind for _, kind, _ in rows].count("deleted") == 1
    row = await message(on, message_id)
    assert (row["is_deleted"], row["is_pinned"]) == (True, False)
