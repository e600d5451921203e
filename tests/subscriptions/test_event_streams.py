"""A call's events as server-sent events, from the whole service."""

import httpx2
import pytest

from tests.support.event_stream import Event, asking_for_events
from tests.support.refusals import code_in
from tests.transport.test_service import ALICE, MALLORY, asking, bearer, settings

pytestmark = pytest.mark.anyio

START = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
CANCEL = "mutation ($call: uuid!) { cancelCall(input: {callId: $call}) { callId } }"
EVENTS = "subscription ($call: uuid!) { callEvents(callId: $call, after: 0) { kind } }"
CALLS = "subscription { nchat_calls(order_by: {created_at: desc}, limit: 1) { status } }"


async def test_who_comes_again_with_the_last_id_misses_and_repeats_nothing(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask, httpx2.AsyncClient(base_url=f"http://{ask.address}") as http:
        call = {"call": (await ask(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"]}
        async with asking_for_events(http, EVENTS, bearer(ALICE), variables=call) as events:
            first = await events.next()
        assert first is not None
        assert first.data == {"data": {"callEvents": {"kind": "call_initiate"}}}
        epoch = (first.id or "").removeprefix("1-")
        assert len(epoch) == 16
        await ask(CANCEL, bearer(ALICE), **call)
        again = bearer(ALICE) | {"last-event-id": first.id or ""}
        async with asking_for_events(http, EVENTS, again, variables=call) as events:
            missed = [await events.next() for _ in range(2)]
        assert [event and event.id for event in missed] == [f"2-{epoch}", f"3-{epoch}"]
        async with asking_for_events(http, EVENTS, bearer(ALICE) | {"last-event-id": "1-0123456789abcdef"}, variables=call) as events:
            elsewhere, *rest = await events.all()
        assert (code_in(elsewhere.data, EVENTS), rest) == ("history-changed", [Event("complete")])
        # One that can't be right is told so, and none takes a right's place.
        async with asking_for_events(http, EVENTS, bearer(ALICE) | {"last-event-id": "99"}, variables=call) as events:
            ahead, *rest = await events.all()
        assert (code_in(ahead.data, EVENTS), rest) == ("cursor-ahead", [Event("complete")])
        async with asking_for_events(http, EVENTS, bearer(MALLORY) | {"last-event-id": "1"}, variables=call) as events:
            refused, *rest = await events.all()
        assert code_in(refused.data, EVENTS) == "not-found"
        assert rest == [Event("complete")]


async def test_a_live_query_sends_what_changes_and_no_ids(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask, httpx2.AsyncClient(base_url=f"http://{ask.address}") as http:
        call_id = (await ask(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"]
        async with asking_for_events(http, CALLS, bearer(ALICE)) as events:
            assert await events.next() == Event("next", {"data": {"nchat_calls": [{"status": "initiated"}]}})
            await ask(CANCEL, bearer(ALICE), call=call_id)
            assert await events.next() == Event("next", {"data": {"nchat_calls": [{"status": "ended"}]}})
