"""Hints that are lost, doubled and overtaken, a broker that dies: nothing that was committed is missed, doubled or reordered."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from domain.calls import events
from domain.calls.actions.answer import decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.world import World
from permissions.session import Session
from tests.calls.call_states import answered
from tests.subscriptions.listening import EVENTS, Listeners, seqs
from tests.subscriptions.processes import FaultyPublisher, Process, TerminatedHubs, process
from tests.support.databases import Databases
from tests.support.domain_setup import ALICE, BOB, Setup, session
from tests.support.valkey import Broker, broker
from tests.support.waiting import eventually, within

pytestmark = pytest.mark.anyio

Breakable = Broker | TerminatedHubs

WRITERS, EVENTS_EACH, SUBSCRIBERS = 6, 50, 24


@pytest.fixture
async def two(on: Setup, breakable: Breakable) -> AsyncIterator[tuple[Process, Process]]:
    async with process(on, breakable.url, faulty=True) as one, process(on, breakable.url, faulty=True) as other:
        yield one, other


@pytest.fixture(params=["redis", "postgres"])
def breakable(request: pytest.FixtureRequest, tmp_path: Path, databases: Databases, database_url: str) -> Iterator[Breakable]:
    if request.param == "postgres":
        yield TerminatedHubs(databases.server, database_url)
        return
    with broker(tmp_path) as running:
        yield running


async def write(world: World, call_id: UUID) -> None:
    for number in range(EVENTS_EACH):
        async with world.transaction("test") as tx:
            await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": number % 2 == 0})


async def read(listeners: Sequence[Listeners], who: Session, call_id: UUID, last: int, number: int) -> int:
    """Follows up to the seq `last` and returns how often it was connected; it disconnects in mid-stream and resumes by its cursor."""
    dice, cursor, connections = random.Random(number), 0, 0  # noqa: S311
    while cursor < last:
        connections += 1
        until = cursor + dice.randint(20, 200)
        async with aclosing(listeners[(number + connections) % 2].raw(who, EVENTS, call=str(call_id), after=cursor)) as payloads:
            async for payload in payloads:
                assert orjson.loads(await payload.take())["data"]["callEvents"]["seq"] == cursor + 1
                cursor += 1
                if cursor in (until, last):
                    break
    return connections


@asynccontextmanager
async def breaking(breakable: Breakable) -> AsyncIterator[None]:
    """The broker is killed and started again, over and over; of PostgreSQL, the connections of hubs."""
    over = asyncio.Event()

    async def keep_breaking() -> None:
        while not await told(over, seconds=0.3):
            await asyncio.to_thread(breakable.kill)
            await told(over, seconds=0.2)
            await asyncio.to_thread(breakable.start)

    task = asyncio.create_task(keep_breaking())
    try:
        yield
    finally:
        over.set()
        await task


async def told(over: asyncio.Event, seconds: float) -> bool:
    try:
        return await within(over.wait(), seconds)
    except TimeoutError:
        return False


async def test_every_subscriber_sees_every_event_once_in_order(
    on: Setup, listen: Listeners, breakable: Breakable, two: tuple[Process, Process]
) -> None:
    call_id = await answered(on)
    last = len(await on.events(call_id)) + WRITERS * EVENTS_EACH
    async with breaking(breakable), asyncio.timeout(90):
        worlds = [await listen.in_world(one.world) for one in two]
        readers = [read(worlds, session((ALICE, BOB)[n % 2]), call_id, last, n) for n in range(SUBSCRIBERS)]
        writers = [write(two[n % 2].world, call_id) for n in range(WRITERS)]
        connections = (await asyncio.gather(asyncio.gather(*readers), asyncio.gather(*writers)))[0]
    assert sum(connections) > SUBSCRIBERS
    for one in two:
        assert isinstance(one.publisher, FaultyPublisher)
        assert one.publisher.faults.keys() == {"none", "lost", "doubled", "delayed"}


async def test_rings_are_told_in_full_although_hints_are_lost(on: Setup, listen: Listeners, two: tuple[Process, Process]) -> None:
    here, there = two
    device = (await listen.in_world(here.world)).rings(session(BOB))
    wanted = []
    for _ in range(12):
        call_id = (await initiate_call(there.world, session(ALICE), CallRequest("audio", (BOB,)))).call_id
        wanted.append(("incoming", str(call_id)))
        await device.count(len(wanted), seconds=3)
        await decline_call(there.world, session(BOB), call_id, "declined")
        wanted.append(("cancelled", str(call_id)))
        await device.count(len(wanted), seconds=3)
    assert [(ring["kind"], ring["callId"]) for ring in device.got] == wanted


async def test_another_process_hears_in_a_fifth_of_a_second(on: Setup, listen: Listeners, breakable: Breakable) -> None:
    call_id = await answered(on)
    async with process(on, breakable.url) as here, process(on, breakable.url) as there:

        async def connected() -> bool:
            return here.hub.connected and there.hub.connected

        await eventually(connected)
        listener = (await listen.in_world(here.world)).events(session(BOB), call_id)
        total = len(await on.events(call_id))
        await listener.count(total)
        delays = []
        loop = asyncio.get_running_loop()
        for _ in range(10):
            async with there.world.transaction("test") as tx:
                await events.append(tx, call_id, "call_video_changed", ALICE, {"enabled": True})
            began, total = loop.time(), total + 1
            await listener.count(total)
            delays.append(loop.time() - began)
        assert seqs(listener.got) == list(range(1, total + 1))
        assert sorted(delays)[5] < 0.2, delays
        await listener.stop()
