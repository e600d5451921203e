"""The whole loop on a real livekit-server: real clients, real webhooks into the inbox, the jobs on the wall clock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

import asyncpg
import pytest
from livekit import rtc
from starlette.applications import Starlette

from app.adapters.clock import SystemClock
from app.jobs import start_jobs
from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.room_gateway import LiveKitRooms, connect
from app.livekit.webhook_endpoint import PATH, LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from devstack import livekit_server
from devstack.livekit_server import LiveKitServer
from devstack.processes import free_port
from domain.calls.actions.answer import accept_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.calls.tickets import Ticket
from domain.ports import MediaError, Rooms
from domain.reconciler import reconcile
from domain.webhooks import inbox
from domain.world import World
from tests.livekit.serving import serving
from tests.support.domain_setup import ALICE, BOB, GENERAL, Setup, session
from tests.support.kill_points import KillableRooms, KillPoints
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
KEY, SECRET = "nchat", "a-secret-for-tests-only-0123456789abcdef"
REMOVED = 4
ROOM_DELETED = 5


@pytest.fixture(scope="module")
def webhook_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(webhook_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveKitServer]:
    if livekit_server.find_binary() is None:
        pytest.skip(livekit_server.NOT_FOUND)
    log = tmp_path_factory.mktemp("livekit") / "livekit.log"
    running = livekit_server.start(api_key=KEY, api_secret=SECRET, webhook_url=f"http://127.0.0.1:{webhook_port}{PATH}", log=log)
    yield running
    running.stop()


@dataclass(slots=True)
class Service:
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


@pytest.fixture
async def service(on: Setup, server: LiveKitServer, webhook_port: int) -> AsyncIterator[Service]:
    async with AsyncExitStack() as stack:
        rooms = await stack.enter_async_context(connect(server.url, KEY, SECRET))
        clock = SystemClock()
        tokens = LiveKitJoinTokens(KEY, SECRET, ttl=600, clock=clock)
        world = replace(on.world, rooms=rooms, clock=clock, tokens=tokens)
        ready = Service(on, world, rooms, server.ws_url)
        jobs = await start_jobs(world, await stack.enter_async_context(asyncpg.create_pool(on.url, min_size=1, max_size=2)))
        stack.push_async_callback(jobs.stop)
        endpoint = LiveKitWebhooks(WebhookSignatures({KEY: SECRET}), ready.receive, jobs.wake)
        await stack.enter_async_context(serving(Starlette(routes=[endpoint.route()]), webhook_port))
        yield ready
        await asyncio.gather(*(client.disconnect() for client in ready.clients))


async def talk(service: Service) -> tuple[UUID, Ticket, Ticket]:
    """alice calls bob in the channel, and both are connected."""
    started = await initiate_call(service.world, session(ALICE), CallRequest("audio", [BOB], channel_id=GENERAL))
    accepted = await accept_call(service.world, session(BOB), started.call_id)
    assert started.ticket is not None
    for ticket in (started.ticket, accepted.ticket):
        await service.connect(ticket)
    await service.becomes(started.call_id, "connected", seconds=30 if service.deaf else 10)
    return started.call_id, started.ticket, accepted.ticket


async def test_two_clients_connect_a_call_and_the_last_one_out_ends_it(service: Service) -> None:
    call_id, ticket, _ = await talk(service)
    for client in service.clients:
        await client.disconnect()
    await service.becomes(call_id, "ended")
    assert (await service.on.call(call_id))["end_reason"] == "completed"

    async def gone() -> bool:
        return await service.rooms.list_rooms([ticket.room_name]) == []

    await eventually(gone)


@pytest.mark.parametrize("deaf", [False, True], ids=["with_webhooks", "webhooks_lost"])
async def test_a_kicked_client_with_its_old_token_is_out_within_two_seconds(service: Service, deaf: bool) -> None:
    call_id, alice, bob = await talk(service)
    service.deaf = deaf
    participant = await service.on.participant(call_id, BOB)
    await kick_participant(service.world, session(ALICE), call_id, participant["id"])
    for _ in range(2):
        out: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        client = rtc.Room()
        client.on("disconnected", partial(note, out))
        await client.connect(service.ws_url, bob.token)
        service.clients.append(client)
        assert await asyncio.wait_for(out, 2) == REMOVED
    assert [one.identity for one in await service.rooms.list_participants(alice.room_name)] == [str(ALICE)]
    assert (await service.on.participant(call_id, BOB))["status"] == "kicked"


async def test_what_the_real_server_shows_needs_no_repair(service: Service) -> None:
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
        assert await asyncio.wait_for(out, 5) == ROOM_DELETED
        assert await rooms.list_rooms([bob.room_name]) == []
        assert (await on.call(started.call_id))["room_closed_at"] is not None
        await client.disconnect()


async def test_without_any_webhook_the_call_connects_all_the_same(service: Service) -> None:
    service.deaf = True
    await talk(service)


class CountingRooms(KillableRooms):
    """Counts what the real server is asked."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms, KillPoints())

    @property
    def asked(self) -> Counter[str]:
        return Counter(point.removeprefix("rooms.").removesuffix(":after") for point in self.point.passed if point.endswith(":after"))


def note(out: "asyncio.Future[int]", reason: int) -> None:
    if not out.done():
        out.set_result(int(reason))
