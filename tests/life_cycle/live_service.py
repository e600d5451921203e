"""The world on a real livekit-server: real clients, real webhooks into the inbox, the jobs on the wall clock."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from livekit import rtc

from app.livekit.room_gateway import LiveKitRooms
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.grants import grant_for
from domain.calls.rows import lock_call, roster
from domain.calls.tickets import Ticket
from domain.webhooks import inbox
from domain.world import World
from tests.support.domain_setup import ALICE, BOB, GENERAL, Setup, session
from tests.support.waiting import eventually

KEY, SECRET = "nchat", "a-secret-for-tests-only-0123456789abcdef"


@dataclass(slots=True)
class LiveService:
    """The world on the real server. `deaf` loses every webhook."""

    on: Setup
    world: World
    rooms: LiveKitRooms
    ws_url: str
    deaf: bool = False
    clients: list[rtc.Room] = field(default_factory=list)

    async def connect(self, ticket: Ticket) -> rtc.Room:
        client = rtc.Room()
        await client.connect(self.ws_url, ticket.token)
        self.clients.append(client)
        return client

    async def status(self, call_id: UUID) -> str:
        return str((await self.on.call(call_id))["status"])

    async def becomes(self, call_id: UUID, status: str, seconds: float = 10) -> None:
        async def so() -> bool:
            return await self.status(call_id) == status

        await eventually(so, seconds=seconds)

    async def receive(self, event: inbox.WebhookEvent) -> bool:
        return False if self.deaf else await inbox.store(self.world, event)


async def talk(service: LiveService) -> tuple[UUID, Ticket, Ticket]:
    """alice calls bob in the channel, and both are connected."""
    started = await initiate_call(service.world, session(ALICE), CallRequest("audio", [BOB], channel_id=GENERAL))
    accepted = await accept_call(service.world, session(BOB), started.call_id)
    assert started.ticket is not None
    for ticket in (started.ticket, accepted.ticket):
        await service.connect(ticket)
    await service.becomes(started.call_id, "connected", seconds=30 if service.deaf else 10)
    return started.call_id, started.ticket, accepted.ticket


async def agreed(service: LiveService, call_id: UUID, *people: UUID) -> bool:
    """Whether exactly these are connected and in the room, each with the sources and the microphone that the row says."""
    async with service.world.transaction("test.look") as tx:
        call = await lock_call(tx, call_id)
        rows = {one.identity: one for one in (await roster(tx, call_id)).participants if one.status == "connected"}
    assert call is not None
    seen = {one.identity: one for one in await service.rooms.list_participants(call.room_name)}
    return seen.keys() == rows.keys() == set(map(str, people)) and all(
        frozenset(grant_for(call, rows[name]).sources) == one.sources
        and [track.muted for track in one.tracks] in ([], [rows[name].is_muted])
        and one.sid == rows[name].participant_sid
        for name, one in seen.items()
    )


async def agree(service: LiveService, call_id: UUID, *people: UUID, seconds: float = 10) -> None:
    """Database and room come to say the same of these people, and of nobody else."""

    async def so() -> bool:
        return await agreed(service, call_id, *people)

    await eventually(so, seconds=seconds)


def note(out: "asyncio.Future[int]", reason: int) -> None:
    """For a client's `disconnected`."""
    if not out.done():
        out.set_result(int(reason))
