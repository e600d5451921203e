"""The lobby, a call for later and the host's succession on a real livekit-server: who is in the room is who may be."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from livekit import rtc

from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.leave import leave_call
from domain.calls.actions.lobby import admit_to_call, deny_from_lobby
from domain.calls.actions.scheduled import start_scheduled_call
from domain.calls.grants import grant_for
from domain.calls.rows import Call, lock_call, participant
from tests.life_cycle.live_service import LiveService, agree, note
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, session
from tests.support.waiting import within

pytestmark = pytest.mark.anyio
REMOVED = 4
INSERT = "INSERT INTO nchat_calls (initiator_id, channel_id, type, scheduled_at) VALUES ($1, $2, 'audio', $3) RETURNING id"


async def lobby_call(service: LiveService) -> UUID:
    """alice is in her call's room."""
    started = await initiate_call(service.world, session(ALICE), CallRequest("audio", channel_id=GENERAL, lobby=True))
    assert started.ticket is not None
    await service.connect(started.ticket)
    await agree(service, started.call_id, ALICE)
    return started.call_id


async def forged(service: LiveService, call_id: UUID, who: UUID) -> str:
    """A token of an earlier seat, say: with it LiveKit lets the person in."""
    async with service.world.transaction("test.forge") as tx:
        call = await lock_call(tx, call_id)
        one = await participant(tx, (await service.on.participant(call_id, who))["id"])
    assert isinstance(call, Call)
    grant = grant_for(call, one)
    return service.world.tokens.sign(
        room=call.room_name, identity=one.identity, name="x", grant=grant, max_participants=call.max_participants
    ).token


async def test_who_waits_is_not_in_the_room(service: LiveService) -> None:
    call_id = await lobby_call(service)
    waiting = await join_call(service.world, session(BOB), call_id)
    assert waiting.ticket is None
    await agree(service, call_id, ALICE)
    out: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    client = rtc.Room()
    client.on("disconnected", partial(note, out))
    service.clients.append(client)
    await client.connect(service.ws_url, await forged(service, call_id, BOB))
    assert await within(out, 5) == REMOVED
    assert (await service.on.participant(call_id, BOB))["status"] == "invited"
    await agree(service, call_id, ALICE)
    await deny_from_lobby(service.world, session(ALICE), call_id, waiting.participant_id)
    await agree(service, call_id, ALICE)
    assert (await join_call(service.world, session(BOB), call_id)).ticket is None
    await admit_to_call(service.world, session(ALICE), call_id, waiting.participant_id)
    await agree(service, call_id, ALICE)
    admitted = await join_call(service.world, session(BOB), call_id)
    assert admitted.ticket is not None
    await service.connect(admitted.ticket)
    await service.becomes(call_id, "connected")
    await agree(service, call_id, ALICE, BOB)


async def test_a_call_for_later_rings_and_connects(service: LiveService) -> None:
    later = service.world.clock.now() + timedelta(hours=1)
    call_id = await service.on.database.fetchval(INSERT, ALICE, GENERAL, later)
    room = (await service.on.call(call_id))["room_name"]
    assert await service.rooms.list_rooms([room]) == []
    started = await start_scheduled_call(service.world, session(ALICE), call_id, [BOB])
    accepted = await accept_call(service.world, session(BOB), call_id)
    assert started.ticket is not None
    for ticket in (started.ticket, accepted.ticket):
        await service.connect(ticket)
    await service.becomes(call_id, "connected")
    await agree(service, call_id, ALICE, BOB)


async def test_a_viewer_who_inherits_the_call_may_speak(service: LiveService) -> None:
    started = await initiate_call(service.world, session(ALICE), CallRequest("audio", [BOB, CAROL], channel_id=GENERAL))
    assert started.ticket is not None
    tickets = [started.ticket] + [(await accept_call(service.world, session(one), started.call_id)).ticket for one in (BOB, CAROL)]
    call_id = started.call_id
    await service.on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE role = 'participant'")
    for ticket in tickets:
        await service.connect(ticket)
    await agree(service, call_id, ALICE, BOB, CAROL)
    await leave_call(service.world, session(ALICE), call_id)
    await agree(service, call_id, BOB, CAROL)
    hosts = [one for one in (BOB, CAROL) if (await service.on.participant(call_id, one))["role"] == "host"]
    assert len(hosts) == 1
