"""Someone who was removed from a call keeps it as history, and gets no further."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from livekit import rtc

from devstack import livekit_server
from devstack.livekit_simulator import SimulatedParticipant, Simulator
from devstack.ports import free_port
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL
from tests.support.dump import dump
from tests.support.waiting import eventually, within
from tests.support.whole_service import KEY, SECRET, WEBHOOKS, Caller, WholeService, whole_service
from tests.transport.fakes import Client, websocket
from tests.trials.conftest import schema_of
from tests.trials.probes import actions

pytestmark = pytest.mark.anyio

HISTORY = """
    query ($id: uuid!) {
        nchat_calls_by_pk(id: $id) { id call_participants(order_by: {user_id: asc}) { user_id status } call_events { seq } }
        nchat_calls(where: {id: {_eq: $id}}) { id }
        nchat_call_participants_aggregate(where: {call_id: {_eq: $id}}) { aggregate { count } }
        nchat_call_events(where: {call_id: {_eq: $id}}) { seq }
    }
"""
EVENTS = "subscription ($id: uuid!) { callEvents(callId: $id, after: 0) { seq kind } }"
NOT_IN = 'query ($id: uuid!) { nchat_call_participants(where: {call_id: {_eq: $id}, status: {_neq: "connected"}}) { id } }'
OUT_WITHIN = 2

BROADCAST = "mutation ($id: uuid!) { startStream(input: {callId: $id}) { streamId } }"


async def group(service: WholeService) -> tuple[UUID, dict[UUID, str]]:
    """Alice, Bob and Carol hold tickets to a call of the channel general."""
    targets = [str(BOB), str(CAROL)]
    fields = {"type": "video", "channelId": str(GENERAL), "targetUserIds": targets}
    started = await service.person(ALICE).act("initiateCall", "callId token", **fields)
    tokens = {ALICE: started["token"]}
    for who in (BOB, CAROL):
        tokens[who] = (await service.person(who).act("acceptCall", "token", callId=started["callId"]))["token"]
    return UUID(started["callId"]), tokens


async def kick(service: WholeService, call_id: UUID) -> str:
    """Bob is removed; his participant's id."""
    alice = service.person(ALICE)
    mine = "query ($call: uuid!, $who: uuid!) { nchat_call_participants(where: {call_id: {_eq: $call}, user_id: {_eq: $who}}) { id } }"
    (bob,) = (await alice.data(mine, {"call": str(call_id), "who": str(BOB)}))["nchat_call_participants"]
    await alice.act("kickParticipant", callId=str(call_id), participantId=bob["id"])
    return str(bob["id"])


async def test_the_call_stays_as_history_and_every_action_says_so(service: WholeService, demo_database_url: str) -> None:
    call_id, _ = await group(service)
    bob_id = await kick(service, call_id)
    bob = service.person(BOB)
    before = await dump(demo_database_url)
    seen = await bob.data(HISTORY, {"id": str(call_id)})
    people = [{"user_id": str(who), "status": "kicked" if who == BOB else "connecting"} for who in (ALICE, BOB, CAROL)]
    assert seen["nchat_calls_by_pk"] == {"id": str(call_id), "call_participants": people, "call_events": []}
    assert seen["nchat_calls"] == [{"id": str(call_id)}]
    assert seen["nchat_call_participants_aggregate"] == {"aggregate": {"count": 3}}
    assert seen["nchat_call_events"] == []
    # startStream takes one thing of several, and is asked with the call alone below.
    asked = [probe for probe in actions(await schema_of(bob)) if probe.field != "startStream"]
    assert len(asked) >= 14
    codes = {probe.field: await bob.refusal(probe.document, probe.variables(call_id, UUID(bob_id))) for probe in asked}
    assert set(codes.values()) == {"participant-kicked"}, codes
    assert await bob.refusal(BROADCAST, {"id": str(call_id)}) == "participant-kicked"
    assert await dump(demo_database_url) == before


async def watch(client: Client, bob: Caller, call_id: UUID) -> None:
    await client.init(dict(bob.headers))
    await client.subscribe(EVENTS, variables={"id": str(call_id)})


async def test_the_feed_ends_and_does_not_begin_again(service: WholeService, demo_database_url: str) -> None:
    call_id, _ = await group(service)
    async with websocket(service.address) as client:
        await watch(client, service.person(BOB), call_id)
        assert (await client.receive())["payload"]["data"]["callEvents"] == {"seq": 1, "kind": "call_initiate"}
        await kick(service, call_id)
        kicked = time.monotonic()
        while (message := await client.receive())["type"] == "next":
            assert message["payload"]["data"]["callEvents"]["kind"] != "kicked"
        assert time.monotonic() - kicked < OUT_WITHIN
        assert [error["extensions"]["code"] for error in message["payload"]] == ["participant-kicked"]
    before = await dump(demo_database_url)
    async with websocket(service.address) as client:
        await watch(client, service.person(BOB), call_id)
        message = await client.receive()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "participant-kicked")
    assert await dump(demo_database_url) == before


async def settled(database_url: str) -> dict[str, list[str]]:
    """Every row, once the service has noted of the demo's ended calls that their rooms are closed."""
    connection = await asyncpg.connect(database_url)

    async def noted() -> bool:
        return not await connection.fetchval("SELECT count(*) FROM nchat_calls WHERE status = 'ended' AND room_closed_at IS NULL")

    await eventually(noted, seconds=30)
    await connection.close()
    return await dump(database_url)


async def unchanged_but_for_webhooks(database_url: str, before: dict[str, list[str]]) -> bool:
    """LiveKit tells of every connection, and what it tells is kept for a week."""
    inbox = "public.nchat_webhook_events"
    return {**await dump(database_url), inbox: []} == {**before, inbox: []}


async def test_an_old_token_is_worth_nothing(lively: tuple[WholeService, Simulator], demo_database_url: str) -> None:
    service, simulator = lively
    call_id, tokens = await group(service)
    for token in tokens.values():
        simulator.join(token)
    await connected(service, call_id)
    await kick(service, call_id)
    before = await settled(demo_database_url)
    for _ in range(3):
        again = simulator.join(tokens[BOB])
        await eventually(partial(is_out, again), seconds=OUT_WITHIN)
    assert set(again.room.participants) == {str(ALICE), str(CAROL)}
    assert await unchanged_but_for_webhooks(demo_database_url, before)


async def is_out(participant: SimulatedParticipant) -> bool:
    return participant.room.participants.get(participant.identity) is not participant


async def connected(service: WholeService, call_id: UUID) -> None:
    async def all_in() -> bool:
        return not (await service.person(ALICE).data(NOT_IN, {"id": str(call_id)}))["nchat_call_participants"]

    await eventually(all_in, seconds=20)


@asynccontextmanager
async def on_livekit(database_url: str, log: Path) -> AsyncIterator[tuple[WholeService, str]]:
    """The service beside a real livekit-server, and the address for clients."""
    port = free_port()
    server = await asyncio.to_thread(
        livekit_server.start, api_key=KEY, api_secret=SECRET, webhook_url=f"http://127.0.0.1:{port}{WEBHOOKS}", log=log
    )
    async with AsyncExitStack() as stack:
        stack.callback(server.stop)
        service = await stack.enter_async_context(whole_service(database_url, server.url, port=port))
        yield service, server.ws_url


@pytest.mark.skipif(livekit_server.find_binary() is None, reason=livekit_server.NOT_FOUND)
async def test_an_old_token_is_worth_nothing_on_livekit_itself(demo_database_url: str, tmp_path: Path) -> None:
    async with on_livekit(demo_database_url, tmp_path / "livekit.log") as (service, address), AsyncExitStack() as stack:
        call_id, tokens = await group(service)
        for token in tokens.values():
            client = rtc.Room()
            stack.push_async_callback(client.disconnect)
            await client.connect(address, token)
        await connected(service, call_id)
        await kick(service, call_id)
        before = await settled(demo_database_url)
        for _ in range(2):
            intruder, out = rtc.Room(), asyncio.Event()
            stack.push_async_callback(intruder.disconnect)
            intruder.on("disconnected", lambda _reason, out=out: out.set())
            await intruder.connect(address, tokens[BOB])
            await within(out.wait(), OUT_WITHIN)
        assert await unchanged_but_for_webhooks(demo_database_url, before)
