"""graphql-ws, subscriptions-transport-ws, urql, Apollo, graphql-sse and EventSource follow a call through what happens to clients."""

from pathlib import Path

import pytest

from tests.clients.running_clients import running_clients
from tests.support.domain_setup import ALICE, GENERAL
from tests.support.whole_service import JWT_SECRET, Caller, service_and_simulator

pytestmark = pytest.mark.anyio

OVER_WEBSOCKETS = {"graphql-ws", "subscriptions-transport-ws", "urql", "apollo"}
AS_EVENTS = {"graphql-sse", "eventsource", "urql-sse"}
ALL_EVENTS = "query ($call: uuid!) { nchat_call_events(where: {call_id: {_eq: $call}}, order_by: {seq: asc}) { seq } }"
# Seconds that a token lives: all clients outlive several.
LIVES = 3


async def mute(host: Caller, call: str, muted: bool) -> int:
    """One more event; returns the seq of the last."""
    await host.act("setMuted", callId=call, trackType="audio", muted=muted)
    return (await all_seqs(host, call))[-1]


async def all_seqs(host: Caller, call: str) -> list[int]:
    events: list[dict[str, int]] = (await host.data(ALL_EVENTS, {"call": call}))["nchat_call_events"]
    return [event["seq"] for event in events]


async def test_clients_lose_and_repeat_nothing_through_breaks_and_expired_tokens(demo_database_url: str, packages: Path) -> None:
    async with service_and_simulator(demo_database_url) as (service, _):
        host = service.person(ALICE)
        call: str = (await host.act("initiateCall", type="audio", channelId=str(GENERAL)))["callId"]
        name, port = service.address.split(":")
        world = {"host": name, "port": int(port), "secret": JWT_SECRET, "user": str(ALICE), "lives": LIVES, "call": call}
        async with running_clients(packages, world) as clients:
            await clients.until(lambda one: one["statuses"] and one["seqs"])
            await clients.drop()
            last = await mute(host, call, True)
            await clients.until(lambda one: one["seqs"][-1] == last)
            told = await clients.until(lambda one: {4403, "invalid-jwt"} & set(one["closes"]))
            # Whoever was closed came back by itself: each connection asks for a token of its own.
            last = await mute(host, call, False)
            await clients.until(lambda one: one["seqs"][-1] == last)
            await host.act("endCall", callId=call)
            expected = await all_seqs(host, call)
            told = await clients.until(lambda one: one["seqs"][-1:] == expected[-1:] and one["statuses"][-1] == "ended")
    assert told.keys() == OVER_WEBSOCKETS | AS_EVENTS
    assert {name: (one["seqs"], one["failures"]) for name, one in told.items()} == dict.fromkeys(told, (expected, []))
    assert all(one["tokens"] >= 3 for one in told.values())
