"""kill -9 before and after every call of a port and every commit: 30 s after the restart database and LiveKit say the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch

import asyncpg
import httpx2
import pytest

from devstack.livekit_simulator import Simulator
from devstack.processes import free_port
from domain.timeouts import TIMEOUTS
from tests.support.call_sites import port_calls, transactions
from tests.support.databases import Databases
from tests.support.mortals import MortalService, Nursery, nursery
from tests.support.waiting import eventually
from tests.support.whole_service import Refused, simulated
from tests.trials.company import Company, cut_off
from tests.trials.deaths import DEATHS, Death
from tests.trials.harmony import differences
from tests.trials.turnstile import Turnstile

pytestmark = pytest.mark.anyio
# Services that die side by side, each with a database and a LiveKit of its own.
LANES = 4
# Deaths that leave database and LiveKit apart.
BROKEN = {"initiate", "end", "mute", "kick", "share a screen", "webhook", "room is gone", "wrong rights", "one who is out"}
# The promise: from the restart until all is well.
REPAIRED_WITHIN = 30


def test_no_point_is_left_out() -> None:
    points = {point for death in DEATHS for point in death.points}
    assert port_calls() <= points
    names = transactions()
    assert len(names) == len(set(names)), "a name tells commits apart"
    assert [name for name in names if not any(fnmatch(point, name) for point in points)] == []
    assert sum(death.name.startswith("timeout ") for death in DEATHS) == len(TIMEOUTS)


@dataclass(slots=True)
class Wreck:
    """What a death left behind. `answer` is the code that the same request got afterwards, "" for none; None before it was repeated."""

    death: Death
    moment: str
    company: Company
    broken: bool
    answer: str | None = None

    async def ask_again(self) -> None:
        """As a client does that got no answer; what the service does by itself needs no asking."""
        if not self.death.is_request:
            self.answer = ""
            return
        try:
            await self.death.during(self.company)
        except Refused as refusal:
            self.answer = refusal.code
        else:
            self.answer = ""

    async def wrongs(self) -> list[str]:
        """What is not as it should be; empty in the end."""
        wrong = await differences(self.company)
        if self.answer not in self.death.again:
            wrong.append(f"the same request got {self.answer!r}")
        if len(list(await self.company.calls())) > 1:
            wrong.append("the same request did its work twice")
        return wrong


@dataclass(slots=True)
class Lane:
    service: MortalService
    simulator: Simulator
    turnstile: Turnstile
    database: "asyncpg.Connection"
    wrecks: list[Wreck] = field(default_factory=list)

    async def bury(self, death: Death, moment: str) -> None:
        """One death and the next service's start."""
        company = await Company(self.service, self.simulator, self.turnstile, self.database).gather()
        for step in death.before:
            await step(company)
        self.simulator.faults.status = dict.fromkeys(death.faults, 500)
        if death.asleep:
            self.service.kill()
            await death.during(company)
            meanwhile = [death.meanwhile(company)] if death.meanwhile else []
            await asyncio.gather(self.service.start_to_die(moment), *meanwhile)
        else:
            await self.service.arm(moment)
            with cut_off():
                await death.during(company)
            await self.service.dies(moment)
        self.simulator.faults.status = {}
        broken = bool(await differences(company))
        await self.service.start()
        self.wrecks.append(Wreck(death, moment, company, broken))

    async def tend(self) -> None:
        """Repeats each request as soon as its call is in order."""
        for wreck in self.wrecks:
            if wreck.answer is None and not await differences(wreck.company):
                await wreck.ask_again()

    async def all_well(self) -> bool:
        await self.tend()
        return not await self.wrongs()

    async def wrongs(self) -> dict[str, list[str]]:
        """What is still wrong, by where the process died."""
        found = {f"{wreck.death.name}: {wreck.moment}": await wreck.wrongs() for wreck in self.wrecks}
        return {where: words for where, words in found.items() if words}


@asynccontextmanager
async def lane(nursing: Nursery, database_url: str) -> AsyncIterator[Lane]:
    async with AsyncExitStack() as stack:
        port = free_port()
        turnstile = Turnstile()
        simulator, livekit_url = await stack.enter_async_context(simulated(port, turnstile))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30))
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        service = MortalService(nursing, port, database_url, livekit_url, http)
        stack.callback(service.kill)
        await service.start()
        yield Lane(service, simulator, turnstile, database)


# Some 140 deaths: a minute and a half on two idle cores.
@pytest.mark.timeout(480)
async def test_whatever_moment_it_dies_at(databases: Databases, migrated_template: str) -> None:
    waiting = [(death, moment) for death in DEATHS for moment in death.moments()]
    waiting.reverse()

    async def live_and_die(one: Lane) -> None:
        while waiting:
            death, moment = waiting.pop()
            try:
                await one.bury(death, moment)
            except TimeoutError:
                pytest.fail(f"{death.name}: nothing died at {moment}")
            await one.tend()
        try:
            await eventually(one.all_well, seconds=REPAIRED_WITHIN, every=0.5)
        except AssertionError:
            assert await one.wrongs() == {}

    async with AsyncExitStack() as stack:
        urls = [stack.enter_context(databases.temporary(migrated_template)) for _ in range(LANES)]
        nursing = await stack.enter_async_context(nursery(urls[0]))
        lanes = [await stack.enter_async_context(lane(nursing, url)) for url in urls]
        await asyncio.gather(*(live_and_die(one) for one in lanes))
        # Otherwise nothing was repaired.
        assert {wreck.death.name for one in lanes for wreck in one.wrecks if wreck.broken} >= BROKEN
