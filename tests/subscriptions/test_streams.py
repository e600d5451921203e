"""Streaming subscriptions: every row once, ties and late commits too where rows are numbered."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from permissions.session import Session
from tests.calls.call_states import open_channel_call, ringing
from tests.subscriptions.listening import Listener, Listeners
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

EVENT = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + 1 WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind) SELECT $1, event_seq, $2 FROM taken RETURNING seq"""
STREAM = "INSERT INTO nchat_streams (channel_id, host_id, title) VALUES ($1, $2, $3) RETURNING id"
MESSAGE = """WITH taken AS (UPDATE nchat_stream_counters SET chat_seq = chat_seq + 1 WHERE stream_id = $1 RETURNING chat_seq)
    INSERT INTO nchat_stream_chat (stream_id, user_id, seq, content) SELECT $1, $2, chat_seq, $3 FROM taken"""
ALL = """subscription ($since: bigint!) {
  nchat_call_events_stream(batch_size: 3, cursor: {initial_value: {seq: $since}}) { call_id seq kind } }"""
ONE = """subscription ($call: uuid!, $since: bigint!) {
  nchat_call_events_stream(batch_size: 2, cursor: [{initial_value: {seq: $since}, ordering: ASC}], where: {call_id: {_eq: $call}}) {
    seq } }"""
BY_TIME = """subscription {
  nchat_call_events_stream(batch_size: 2, cursor: {initial_value: {created_at: "2026-01-01"}}) { call_id seq created_at } }"""


async def event(on: Setup, call_id: UUID, kind: str = "tick") -> int:
    seq: int = await on.database.fetchval(EVENT, call_id, kind)
    return seq


def rows(got: list[Any]) -> list[Any]:
    return [row for batch in got for row in batch]


async def until_rows(listener: Listener, number: int) -> list[Any]:
    return rows(await listener.until(lambda got: len(rows(got)) >= number))


async def test_each_row_once_in_order_and_no_more_than_asked_for_at_once(on: Setup, listen: Listeners) -> None:
    call_id = await open_channel_call(on)
    last = [await event(on, call_id) for _ in range(5)][-1]
    listener = listen(session(ALICE), ONE, call=str(call_id), since=0)
    assert [row["seq"] for row in await until_rows(listener, last)] == list(range(1, last + 1))
    for seq in range(last + 1, last + 6):
        assert await event(on, call_id) == seq
    assert [row["seq"] for row in await until_rows(listener, last + 5)] == list(range(1, last + 6))
    assert max(map(len, listener.got)) <= 2
    assert [] not in listener.got
    later = listen(session(ALICE), ONE, call=str(call_id), since=last)
    assert [row["seq"] for row in await until_rows(later, 5)] == list(range(last + 1, last + 6))


async def test_rooms_whose_numbers_are_the_same_and_late_commits_lose_nothing(on: Setup, listen: Listeners) -> None:
    """Call A is far ahead while a transaction of call B, which took its number before, is not committed yet."""
    ahead, behind = await open_channel_call(on), await ringing(on)
    listener = listen(session(ALICE), ALL, since=0)
    known = await on.database.fetchval("SELECT count(*) FROM nchat_call_events")
    await until_rows(listener, known)
    other = await asyncpg.connect(on.url)
    try:
        async with other.transaction():
            late = await other.fetchval(EVENT, behind, "late")
            for _ in range(7):
                await event(on, ahead)
            await until_rows(listener, known + 7)
    finally:
        await other.close()
    got = await until_rows(listener, known + 8)
    assert {"call_id": str(behind), "seq": late, "kind": "late"} in got
    for _ in range(3):
        await event(on, ahead)
        await event(on, behind)
    got = await until_rows(listener, known + 14)
    for call_id in (ahead, behind):
        of_call = [row["seq"] for row in got if row["call_id"] == str(call_id)]
        assert of_call == list(range(1, len(of_call) + 1))


async def test_rows_of_one_value_are_not_lost_between_two_batches(on: Setup, listen: Listeners) -> None:
    for call_id in [await open_channel_call(on), await ringing(on)]:
        for _ in range(4):
            await event(on, call_id)
    await on.database.execute("UPDATE nchat_call_events SET created_at = '2026-01-02T03:04:05.678901Z'")
    number = await on.database.fetchval("SELECT count(*) FROM nchat_call_events")
    listener = listen(session(ALICE), BY_TIME)
    got = await until_rows(listener, number)
    assert len({(row["call_id"], row["seq"]) for row in got}) == len(got) == number
    assert max(map(len, listener.got)) == 2


async def test_descending(on: Setup, listen: Listeners) -> None:
    call_id = await open_channel_call(on)
    last = [await event(on, call_id) for _ in range(5)][-1]
    query = ONE.replace("ASC", "DESC")
    listener = listen(session(ALICE), query, call=str(call_id), since=last)
    assert [row["seq"] for row in await until_rows(listener, last - 1)] == list(range(last - 1, 0, -1))


async def test_nobody_is_told_of_rows_that_they_may_not_see(on: Setup, listen: Listeners) -> None:
    """Many in one cohort, each with the rows of their own rule; one who may see nothing is told nothing."""
    call_id = await open_channel_call(on)
    people = {who: listen(session(who), ALL, since=0) for who in (ALICE, BOB, MALLORY)}
    last = await event(on, call_id)
    for who in (ALICE, BOB):
        got = await until_rows(people[who], last)
        assert {row["call_id"] for row in got} == {str(call_id)}
    before = await dump(on.database)
    refused = await listen(Session("anonymous"), ALL, since=0).ended()
    assert refused.code == "validation-failed"
    assert people[MALLORY].got == []
    assert await dump(on.database) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "batch_size: -1, cursor: {initial_value: {seq: 0}}",
            "expected a non-negative 32-bit integer for type 'Int', but found an integer",
        ),
        ("batch_size: 1, cursor: []", "one streaming column field is expected"),
        ("batch_size: 1, cursor: {initial_value: {}}", "one streaming column field is expected"),
        ('batch_size: 1, cursor: {initial_value: {seq: 0, kind: "a"}}', "multiple column cursors are not supported yet"),
        ("batch_size: 1, cursor: [{initial_value: {seq: 0}}, {initial_value: {seq: 1}}]", "multiple column cursors are not supported yet"),
        ("batch_size: 1, cursor: {ordering: ASC}", "missing required field 'initial_value'"),
        ("batch_size: 1, cursor: {initial_value: {seq: null}}", "unexpected null value for type 'bigint'"),
        ("batch_size: 1", "missing required field 'cursor'"),
    ],
)
async def test_what_is_no_cursor_is_refused(listen: Listeners, arguments: str, message: str) -> None:
    refused = await listen(session(ALICE), f"subscription {{ nchat_call_events_stream({arguments}) {{ seq }} }}").ended()
    assert (refused.code, refused.message) == ("validation-failed", message)
    if "streaming column" in message or "column cursors" in message:
        # Hasura's `SubscriptionStream.hs` counts columns when all arguments are read.
        assert refused.path == "$.selectionSet.nchat_call_events_stream.args"


@pytest.mark.parametrize("size", ["0", "$size"])
async def test_none_at_once_is_nothing_ever(on: Setup, listen: Listeners, size: str) -> None:
    """Hasura takes a batch of none (`cursorBatchSizeArg` of `SubscriptionStream.hs`): who asks for it waits, and is no error."""
    call_id = await open_channel_call(on)
    silent = listen(
        session(ALICE),
        f"subscription ($since: bigint!{', $size: Int!' if '$' in size else ''}) {{ "
        f"nchat_call_events_stream(batch_size: {size}, cursor: {{initial_value: {{seq: $since}}}}) {{ seq }} }}",
        since=0,
        **({"size": 0} if "$" in size else {}),
    )
    told = listen(session(ALICE), ALL, since=0)
    last = await event(on, call_id)
    await until_rows(told, last)
    await event(on, call_id)
    await until_rows(told, last + 1)
    assert (silent.got, silent.refused) == ([], None)


async def test_a_bad_value_is_told_once_and_by_itself(on: Setup, listen: Listeners) -> None:
    """Others of the cohort, who are asked for in the same statement, hear nothing of it."""
    call_id = await open_channel_call(on)
    good = listen(session(BOB), ALL, since=0)
    bad = listen(session(ALICE), ALL, since="no number")
    (answer,) = await bad.count(1)
    assert code_in(answer, ALL) == "data-exception"
    last = await event(on, call_id)
    assert len(await until_rows(good, last)) == last
    await asyncio.sleep(0)
    assert len(bad.got) == 1


async def test_streams_are_no_queries(client: Api) -> None:
    code, _, message = await client.refusal(session(ALICE), "{ nchat_call_events_stream(batch_size: 1, cursor: {}) { seq } }")
    assert (code, message) == ("validation-failed", "field 'nchat_call_events_stream' not found in type: 'query_root'")


async def test_stream_chat_written_by_sql(on: Setup, listen: Listeners) -> None:
    listener = listen(
        Session("admin"),
        "subscription { nchat_stream_chat_stream(batch_size: 10, cursor: {initial_value: {seq: 0}}) { stream_id seq content } }",
    )
    streams = [await on.database.fetchval(STREAM, GENERAL, ALICE, f"stream {number}") for number in range(2)]
    for number in range(6):
        await on.database.execute(MESSAGE, streams[number % 2], ALICE, f"message {number}")
    got = await until_rows(listener, 6)
    for stream in streams:
        assert [row["seq"] for row in got if row["stream_id"] == str(stream)] == [1, 2, 3]
