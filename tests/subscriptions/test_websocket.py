"""Subscriptions over a websocket, from a service that shares with the writer only PostgreSQL and the broker."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.support.valkey import Broker, broker
from tests.transport.fakes import Client, websocket
from tests.transport.test_service import ALICE, MALLORY, asking, bearer, settings

pytestmark = pytest.mark.anyio

START = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
CALLS = 'subscription { nchat_calls(where: {status: {_eq: "initiated"}}, order_by: {created_at: asc}) { id } }'
EVENTS = "subscription ($call: uuid!) { callEvents(callId: $call, after: 0) { seq kind } }"


@pytest.fixture
def redis(tmp_path: Any) -> Any:
    with broker(tmp_path) as running:
        yield running


async def ids(client: Client) -> list[str]:
    message = await client.receive()
    assert message["type"] == "next", message
    return [row["id"] for row in message["payload"]["data"]["nchat_calls"]]


async def test_what_one_service_writes_the_other_tells(demo_database_url: str, redis: Broker) -> None:
    given = settings(demo_database_url, redis_url=redis.url)
    async with asking(given) as writes, asking(given) as tells, websocket(tells.address) as client:
        await client.init(bearer(ALICE))
        await client.subscribe(CALLS)
        known = await ids(client)
        loop, delays = asyncio.get_running_loop(), []
        for number in range(8):
            if number == 6:
                redis.kill()
            began = loop.time()
            known.append((await writes(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"])
            assert await ids(client) == known
            delays.append(loop.time() - began)
        assert sorted(delays[:6])[2] < 0.5, delays
        assert max(delays[6:]) < 3, delays


async def test_a_feed_and_its_refusal(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask, websocket(ask.address) as client, websocket(ask.address) as stranger:
        call_id = (await ask(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"]
        await client.init(bearer(ALICE))
        await client.subscribe(EVENTS, variables={"call": call_id})
        assert (await client.receive())["payload"] == {"data": {"callEvents": {"seq": 1, "kind": "call_initiate"}}}
        await stranger.init(bearer(MALLORY))
        answers = []
        for operation, asked in enumerate((call_id, str(uuid4()))):
            await stranger.subscribe(EVENTS, str(operation), variables={"call": asked})
            answers.append(await stranger.receive())
        assert [answer["type"] for answer in answers] == ["error", "error"]
        assert answers[0]["payload"] == answers[1]["payload"]
        assert answers[0]["payload"][0]["extensions"] == {"code": "not-found", "path": "$.selectionSet.callEvents"}
        # The one that is served hears nothing of it, and completes when it is asked to.
        await client.send(type="complete", id="1")
        await client.subscribe(EVENTS, "1", variables={"call": call_id})
        assert (await client.receive())["type"] == "next"


async def test_open_subscriptions_do_not_hold_up_the_end(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask, websocket(ask.address) as client:
        await client.init(bearer(ALICE))
        await client.subscribe(CALLS)
        await ids(client)
        await client.subscribe("subscription { incomingCalls { kind } }", "2")
        assert (await client.receive())["payload"] == {"data": {"incomingCalls": {"kind": "snapshot"}}}
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 5


@pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", "graphql-ws"])
async def test_what_is_wrong_with_a_document_ends_its_operation_alone(demo_database_url: str, subprotocol: str) -> None:
    wrong: dict[str, dict[str, Any]] = {
        "syntax": {"query": "subscription {"},
        "two": {"query": "query a { __typename } query b { __typename }"},
        "unknown": {"query": "query a { __typename }", "operationName": "b"},
        "field": {"query": "subscription { nothing_like_it { id } }"},
        "missing": {"operationName": "a"},
        "id of a known document": {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
        "roots": {"query": "subscription { nchat_calls { id } nchat_users { id } }"},
    }
    async with asking(settings(demo_database_url)) as ask, websocket(ask.address, subprotocols=[subprotocol]) as client:
        await client.init(bearer(ALICE))
        await client.subscribe(CALLS, "lives")
        await ids(client)
        for operation, payload in wrong.items():
            await client.begin(operation, payload)
            answer = await client.receive()
            assert (answer["type"], answer["id"]) == ("error", operation)
            if subprotocol == "graphql-ws":
                assert await client.receive() == {"type": "complete", "id": operation}
        created = (await ask(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"]
        assert created in await ids(client)
