"""Live queries on the product's tables: the first answer, then each that differs, each person's own."""

import asyncio
import time
from contextlib import aclosing
from functools import partial
from typing import Any

import orjson
import pytest

from domain.calls.actions.answer import accept_call
from permissions.session import Session
from resolvers.documents.request import Request
from tests.calls.call_states import open_channel_call, participant_id, ringing
from tests.subscriptions.listening import Listeners
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, Setup, session
from tests.support.dump import dump
from tests.support.json_patches import applied
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

CALLS = "subscription { nchat_calls(order_by: {created_at: asc}) { id status } }"
NOTES = """mutation ($id: uuid!, $notes: jsonb!) {
  update_nchat_call_participants_by_pk(pk_columns: {id: $id}, _set: {metadata: $notes}) { id }
}"""


def newest_is(answer: object, got: list[Any]) -> bool:
    return bool(got[-1] == answer)


async def test_the_first_answer_and_then_only_changes(on: Setup, listen: Listeners) -> None:
    listener = listen(session(BOB), CALLS)
    assert await listener.count(1) == [[]]
    call_id = await ringing(on)
    await listener.until(lambda got: got[-1] == [{"id": str(call_id), "status": "ringing"}])
    sent = len(listener.got)
    # Another table, and a column that nobody asked for: looked at, and not sent.
    await on.database.execute("UPDATE nchat_channels SET name = 'renamed'")
    await on.database.execute("UPDATE nchat_calls SET metadata = '{\"a\": 1}'")
    # Two rounds of looking later at the latest:
    witness = listen(session(BOB), "subscription { nchat_calls { metadata } }")
    await witness.count(1)
    await on.database.execute("UPDATE nchat_calls SET metadata = '{\"a\": 2}'")
    await witness.until(lambda got: got[-1] == [{"metadata": {"a": 2}}])
    await on.database.execute("UPDATE nchat_calls SET metadata = '{\"a\": 3}'")
    await witness.until(lambda got: got[-1] == [{"metadata": {"a": 3}}])
    assert len(listener.got) == sent


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("nchat_calls(where: {status: {_eq: $status}}) { status __typename }", [], [{"status": "connecting", "__typename": "nchat_calls"}]),
        (
            "nchat_calls_aggregate(where: {status: {_eq: $status}}) { aggregate { count } }",
            {"aggregate": {"count": 0}},
            {"aggregate": {"count": 1}},
        ),
        ("nchat_calls_by_pk(id: $id) { ...shown }", {"now": "ringing"}, {"now": "connecting"}),
    ],
)
async def test_each_kind_of_root_field(on: Setup, listen: Listeners, query: str, before: object, after: object) -> None:
    call_id = await ringing(on)
    declared, given = ("$id: uuid!", {"id": str(call_id)}) if "$id" in query else ("$status: call_status!", {"status": "connecting"})
    fragment = "fragment shown on nchat_calls { now: status }" if "shown" in query else ""
    listener = listen(session(ALICE), f"subscription ({declared}) {{ {query} }} {fragment}", **given)
    assert await listener.count(1) == [before]
    await accept_call(on.world, session(BOB), call_id)
    assert await listener.count(2) == [before, after]


async def test_our_own_writes_are_seen_at_once(on: Setup, client: Api, listen: Listeners) -> None:
    call_id = await ringing(on)
    mine = await participant_id(on, call_id, BOB)
    query = 'subscription { nchat_call_participants(where: {metadata: {_has_key: "n"}}) { metadata } }'
    listener = listen(session(ALICE), query)
    await listener.count(1)
    delays = []
    for number in range(8):
        began = time.monotonic()
        await client.data(session(BOB), NOTES, {"id": str(mine), "notes": {"n": number}})
        await listener.until(partial(newest_is, [{"metadata": {"n": number}}]))
        delays.append(time.monotonic() - began)
    # Without hints each would take half a second on average.
    assert sorted(delays)[4] < 0.3, delays


async def test_each_person_sees_their_own_rows(on: Setup, listen: Listeners) -> None:
    people = {who: listen(session(who), CALLS) for who in (ALICE, DAVE, MALLORY)}
    for listener in people.values():
        await listener.count(1)
    call_id = await open_channel_call(on)
    for who in (ALICE, DAVE):
        await people[who].until(lambda got: [row["id"] for row in got[-1]] == [str(call_id)])
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    await people[DAVE].until(lambda got: got[-1] == [], seconds=2)
    assert people[MALLORY].got == [[]]


async def test_only_one_root_field(on: Setup, listen: Listeners) -> None:
    before = await dump(on.database)
    refused = await listen(session(BOB), "subscription { a: nchat_calls { id } b: nchat_calls { id } }").ended()
    assert (refused.code, str(refused)) == ("validation-failed", "subscriptions must select one top level field")
    mixed = await listen(session(BOB), "subscription { nchat_calls { id } incomingCalls { kind } }").ended()
    assert mixed.answer() == refused.answer()
    absent = await listen(Session("anonymous"), CALLS).ended()
    assert absent.code == "validation-failed"
    assert await dump(on.database) == before


async def test_a_refusal_by_the_database_is_an_answer_and_not_the_end(on: Setup, listen: Listeners) -> None:
    query = "subscription ($r: String!) { nchat_calls(where: {room_name: {_regex: $r}}) { status } }"
    listener = listen(session(ALICE), query, r="(")
    (answer,) = await listener.count(1)
    assert code_in(answer, query) == "data-exception"
    witness = listen(session(CAROL), CALLS)
    await witness.count(1)
    await open_channel_call(on)
    await witness.count(2)
    assert listener.refused is None
    assert len(listener.got) == 1


async def test_a_change_while_somebody_joins(on: Setup, listen: Listeners) -> None:
    """Whoever comes after a commit sees it in the first answer, also among others who came earlier."""
    call_id = await open_channel_call(on)
    listener = listen(Session("admin"), "subscription { nchat_calls { metadata } }")
    await listener.count(1)
    for number in range(20):
        await on.database.execute("UPDATE nchat_calls SET metadata = $1 WHERE id = $2", f'{{"n": {number}}}', call_id)
        joined = listen(Session("admin"), "subscription { nchat_calls { metadata } }")
        assert (await joined.count(1))[0] == [{"metadata": {"n": number}}]
    got = await listener.until(lambda got: got[-1] == [{"metadata": {"n": 19}}])
    seen = [row[0]["metadata"].get("n", -1) for row in got]
    assert seen == sorted(set(seen))


async def test_what_changed_is_told_to_who_asks_for_it(on: Setup, listen: Listeners) -> None:
    """On the product's own rows, as a client applies it."""
    calls = [await open_channel_call(on) for _ in range(3)]
    query = "subscription { nchat_calls(order_by: {id: asc}) { id room_name created_at metadata } }"
    request = Request(query, delta=True)
    async with aclosing(listen.subscriptions.subscribe(request, session(ALICE), on.world)) as offers, asyncio.timeout(20):
        first = orjson.loads(await (await anext(offers)).take())
        has = first["data"]
        assert first["extensions"] == {"version": 1}
        for version, call_id in enumerate(calls, 2):
            await on.database.execute("UPDATE nchat_calls SET metadata = $1 WHERE id = $2", f'{{"n": {version}}}', call_id)
            told = orjson.loads(await (await anext(offers)).take())
            assert told["data"] is None
            assert (told["extensions"]["base"], told["extensions"]["version"]) == (version - 1, version)
            has = applied(told["extensions"]["patch"], has)
    assert has["nchat_calls"] == (await listen(session(ALICE), query).count(1))[0]
