"""The whole loop on a real livekit-server: real clients, real webhooks into the inbox, the jobs on the wall clock."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from functools import partial

import pytest
from livekit import rtc

from app.adapters.clock import SystemClock
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.room_gateway import connect
from devstack.livekit_server import LiveKitServer
from devstack.ports import free_port
from domain.calls.actions.answer import accept_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.ports import MediaError, Rooms
from domain.reconciler import kick_watch, reconcile
from tests.life_cycle.live_service import KEY, SECRET, LiveService, note, talk
from tests.support.domain_setup import ALICE, BOB, GENERAL, Setup, session
from tests.support.kill_points import KillableRooms, KillPoints
from tests.support.waiting import eventually, within

pytestmark = pytest.mark.anyio
REMOVED = 4
ROOM_DELETED = 5


async def test_two_clients_connect_a_call_and_the_last_one_out_ends_it(service: LiveService) -> None:
    call_id, ticket, _ = await talk(service)
    for client in service.clients:
        await client.disconnect()
    await service.becomes(call_id, "ended")
    assert (await service.on.call(call_id))["end_reason"] == "completed"

    async def gone() -> bool:
        return await service.rooms.list_rooms([ticket.room_name]) == []

    await eventually(gone)


@pytest.mark.parametrize("deaf", [False, True], ids=["with_webhooks", "webhooks_lost"])
async def test_a_kicked_client_with_its_old_token_is_out_within_two_seconds(service: LiveService, deaf: bool) -> None:
    call_id, alice, bob = await talk(service)
    service.deaf = deaf
    participant = await service.on.participant(call_id, BOB)
    await kick_participant(service.world, session(ALICE), call_id, participant["id"])
    watched_until = time.monotonic() + kick_watch.WATCHED_FOR.total_seconds()
    for _ in range(2):
        out: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        client = rtc.Room()
        client.on("disconnected", partial(note, out))
        await client.connect(service.ws_url, bob.token)
        service.clients.append(client)
        # Removed before it is connected, a client tries again by itself after 15 s: with webhooks lost only the reconciler looks by then.
        soon = not deaf or time.monotonic() < watched_until - 2
        assert await within(out, 2 if soon else 17) == REMOVED
    assert [one.identity for one in await service.rooms.list_participants(alice.room_name)] == [str(ALICE)]
    assert (await service.on.participant(call_id, BOB))["status"] == "kicked"


async def test_what_the_real_server_shows_needs_no_repair(service: LiveService) -> None:
    call_id, ticket, _ = await talk(service)
    people = {one.identity: one for one in await service.rooms.list_participants(ticket.room_name)}
    assert {one.sources for one in people.values()} == {frozenset({"microphone"})}
    before = await service.on.events(call_id)
    asked = CountingRooms(service.rooms)
    await reconcile(replace(service.world, rooms=asked))
    assert asked.asked["set_grant"] == asked.asked["remove_participant"] == asked.asked["create_room"] == 0
    assert await service.on.events(call_id) == before


async def test_nobody_stays_in_an_ended_call_after_a_long_outage(on: Setup, server: LiveKitServer) -> None:
    """LiveKit can't be reached when the call ends, and hours pass; bob's connection outlives both."""
    clock = SystemClock()
    async with connect(server.url, KEY, SECRET) as rooms, connect(f"http://127.0.0.1:{free_port()}", KEY, SECRET) as unreachable:
        world = replace(on.world, rooms=rooms, clock=clock, tokens=LiveKitJoinTokens(KEY, SECRET, ttl=600, clock=clock))
        started = await initiate_call(world, session(ALICE), CallRequest("audio", [BOB], channel_id=GENERAL))
        bob = (await accept_call(world, session(BOB), started.call_id)).ticket
        client, out = rtc.Room(), asyncio.get_running_loop().create_future()
        client.on("disconnected", partial(note, out))
        await client.connect(server.ws_url, bob.token)
        await end_call(replace(world, rooms=unreachable), session(ALICE), started.call_id)
        await on.database.execute("UPDATE nchat_calls SET ended_at = ended_at - interval '5 hours'")
        with pytest.raises(MediaError):
            await reconcile(replace(world, rooms=unreachable))
        assert (await on.call(started.call_id))["room_closed_at"] is None
        assert [one.identity for one in await rooms.list_participants(bob.room_name)] == [str(BOB)]
        await reconcile(world)
        assert await within(out, 5) == ROOM_DELETED
        assert await rooms.list_rooms([bob.room_name]) == []
        assert (await on.call(started.call_id))["room_closed_at"] is not None
        await client.disconnect()


async def test_without_any_webhook_the_call_connects_all_the_same(service: LiveService) -> None:
    service.deaf = True
    await talk(service)


class CountingRooms(KillableRooms):
    """Counts what the real server is asked."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms, KillPoints())

    @property
    def asked(self) -> Counter[str]:
        return Counter(point.removeprefix("rooms.").removesuffix(":after") for point in self.point.passed if point.endswith(":after"))
