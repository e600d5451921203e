"""A stream's chat as a client meets it: what is answered, how it is refused, and its history by a query of the table."""

from typing import Any
from uuid import UUID

import pytest

from permissions.session import Session
from tests.streams.chat.live_stream import banned, live_stream, say
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

ANYBODY = Session("anonymous", {"x-hasura-role": "anonymous"})
SEND = """mutation ($input: SendStreamChatInput!) {
  sendStreamChat(input: $input) { streamId messageId seq message { content seq media_seconds user { username } reply_to { content } } }
}"""
HISTORY = """query ($stream: uuid!, $before: bigint!) {
  nchat_stream_chat(where: {stream_id: {_eq: $stream}, seq: {_lt: $before}}, order_by: {seq: desc}, limit: 3) { seq content }
}"""


async def act(client: Api, who: Session, name: str, answer: str, **fields: object) -> Any:
    """The payload of one action."""
    query = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {answer} }} }}"
    return (await client.data(who, query, {"input": fields}))[name]


async def history(client: Api, who: Session, stream_id: UUID, before: int = 1_000) -> list[tuple[int, str]]:
    rows = (await client.data(who, HISTORY, {"stream": str(stream_id), "before": before}))["nchat_stream_chat"]
    return [(row["seq"], row["content"]) for row in rows]


async def test_what_is_sent_is_answered_with_the_message(client: Api) -> None:
    stream_id = await live_stream(client.on)
    first = await say(client.on, stream_id, ALICE, "welcome")
    given = {"streamId": str(stream_id), "content": "hello", "replyTo": str(first.message_id), "clientMessageId": str(stream_id)}
    sent = (await client.data(session(BOB), SEND, {"input": given}))["sendStreamChat"]
    message = {"content": "hello", "seq": 2, "media_seconds": None, "user": {"username": "bob"}, "reply_to": {"content": "welcome"}}
    assert sent == {"streamId": str(stream_id), "messageId": sent["messageId"], "seq": 2, "message": message}
    assert (await client.data(session(BOB), SEND, {"input": {**given, "content": "again"}}))["sendStreamChat"] == sent


async def test_a_moderator_keeps_order(client: Api) -> None:
    stream_id = await live_stream(client.on)
    message_id = str((await say(client.on, stream_id, BOB)).message_id)
    moderator = session(MOD, "moderator")
    marks = "streamId messageId message { is_pinned is_highlighted is_deleted }"
    shown = []
    for name in ("pinStreamChat", "highlightStreamChat", "unpinStreamChat", "deleteStreamChat"):
        answer = await act(client, moderator, name, marks, messageId=message_id)
        assert (answer["streamId"], answer["messageId"]) == (str(stream_id), message_id)
        shown.append(tuple(answer["message"].values()))
    assert shown == [(True, False, False), (True, True, False), (False, True, False), (False, True, True)]
    ban = "streamId userId stream { id } ban { reason expires_at lifted_at banned_by }"
    given = {"streamId": str(stream_id), "userId": str(BOB)}
    answer = await act(client, moderator, "banFromStream", ban, **given, reason="enough")
    facts = {"reason": "enough", "expires_at": None, "lifted_at": None, "banned_by": str(MOD)}
    assert answer == {**given, "stream": {"id": str(stream_id)}, "ban": facts}
    assert (await act(client, moderator, "unbanFromStream", ban, **given))["ban"]["lifted_at"] is not None


async def test_an_author_does_not_see_what_is_taken_back(client: Api) -> None:
    stream_id = await live_stream(client.on)
    message_id = str((await say(client.on, stream_id, BOB)).message_id)
    answer = await act(client, session(BOB), "deleteStreamChat", "messageId message { content }", messageId=message_id)
    assert answer == {"messageId": message_id, "message": None}


async def test_history_is_a_query_of_the_table(client: Api) -> None:
    stream_id = await live_stream(client.on)
    sent = [await say(client.on, stream_id, BOB, f"message {number}") for number in range(1, 6)]
    await act(client, session(ALICE), "deleteStreamChat", "messageId", messageId=str(sent[3].message_id))
    for who in (session(CAROL), session(MALLORY), ANYBODY):
        assert await history(client, who, stream_id) == [(5, "message 5"), (3, "message 3"), (2, "message 2")]
        assert await history(client, who, stream_id, 2) == [(1, "message 1")]
    for who in (session(ALICE), session(MOD, "moderator")):
        assert await history(client, who, stream_id) == [(5, "message 5"), (4, "message 4"), (3, "message 3")]
    await banned(client.on, stream_id, CAROL)
    assert await history(client, session(CAROL), stream_id) == []


async def test_a_refusal_as_it_is_answered(client: Api) -> None:
    public, slow = await live_stream(client.on), await live_stream(client.on, slow=60)
    await banned(client.on, public, BOB)
    await say(client.on, slow, BOB)
    before = await dump(client.on.database)
    expected = {
        public: ("banned", "You are banned from this stream."),
        slow: ("slow-mode", "The chat is in slow mode; wait before you write again."),
    }
    for stream_id, (code, sentence) in expected.items():
        given = {"input": {"streamId": str(stream_id), "content": "hello"}}
        assert await client.refusal(session(BOB), SEND, given) == (code, "$.selectionSet.sendStreamChat", sentence)
    answer = await client.raw(session(BOB), SEND, {"input": {"streamId": str(slow), "content": "hello"}})
    assert b'"retryAfter":' in answer
    assert await dump(client.on.database) == before


async def test_nobody_without_a_name_has_these_actions(client: Api) -> None:
    stream_id = await live_stream(client.on)
    before = await dump(client.on.database)
    given = {"input": {"streamId": str(stream_id), "content": "hello"}}
    assert (await client.refusal(ANYBODY, SEND, given))[0] == "validation-failed"
    assert await dump(client.on.database) == before
