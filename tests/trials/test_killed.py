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
class Lane:
    service: MortalService
    simulator: Simulator
    turnstile: Turnstile
    database: "asyncpg.Connection"
    wrecks: list[tuple[Death, str, Company]] = field(default_factory=list)

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
        await self.service.start()
        self.wrecks.append((death, moment, company))

    async def repaired(self) -> bool:
        return not [company for _, _, company in self.wrecks if await differences(company)]

    async def told(self) -> dict[str, list[str]]:
        """What is still wrong, by where the process died."""
        wrong = {f"{death.name}: {moment}": await differences(company) for death, moment, company in self.wrecks}
        return {where: words for where, words in wrong.items() if words}

    async def ask_again(self) -> dict[str, str]:
        """The same requests once more: those that got a code they should not, and those that did their work twice."""
        wrong = {}
        for death, moment, company in self.wrecks:
            if death.asleep or death.name.startswith(("webhook", "purge")):
                continue
            code = await refused(death, company)
            calls = len(list(await company.calls()))
            if code not in death.again or calls > 1:
                wrong[f"{death.name}: {moment}"] = f"{code}, {calls} calls"
        return wrong


async def refused(death: Death, company: Company) -> str:
    """The code of a repeated request; empty when it was done."""
    try:
        await death.during(company)
    except Refused as refusal:
        return refusal.code
    return ""


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


@pytest.mark.timeout(300)
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
        try:
            await eventually(one.repaired, seconds=REPAIRED_WITHIN, every=0.5)
        except AssertionError:
            assert await one.told() == {}
        assert await one.ask_again() == {}
        await eventually(one.repaired, seconds=REPAIRED_WITHIN, every=0.5)

    async with AsyncExitStack() as stack:
        urls = [stack.enter_context(databases.temporary(migrated_template)) for _ in range(LANES)]
        nursing = await stack.enter_async_context(nursery(urls[0]))
        lanes = [await stack.enter_async_context(lane(nursing, url)) for url in urls]
        await asyncio.gather(*(live_and_die(one) for one in lanes))
