"""kill -9 before and after every call of a port and every commit: 30 s after the restart database and LiveKit say the same.

Whole by `make trial-kills`; here those that leave something broken and a quarter of the other ways to die, each at one of its moments.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch

import asyncpg
import httpx2
import pytest

from devstack.livekit_simulator import Simulator
from devstack.ports import free_port
from domain.timeouts import TIMEOUTS
from domain.timeouts.due import anywhere
from tests.support.call_sites import port_calls, transactions
from tests.support.databases import Databases
from tests.support.killable_service import ForkServer, KillableService, open_fork_server
from tests.support.waiting import eventually
from tests.support.whole_service import Refused, simulated
from tests.trials.consistency import differences
from tests.trials.crashes import CRASHES
from tests.trials.crashes.crash import Crash
from tests.trials.pausable_livekit import PausableClock
from tests.trials.scale import SEED, WHOLE, sampled, thinned
from tests.trials.trial_call import TrialCall, cut_off

pytestmark = pytest.mark.anyio
# Services that die side by side, each with a database and a LiveKit of its own.
LANES = 4
# Crashes that leave database and LiveKit apart.
BROKEN = {"initiate", "end", "mute", "kick", "share a screen", "webhook", "room is gone", "wrong rights", "one who is out"}
# The promise: from the restart until all is well.
REPAIRED_WITHIN = 30
# Whoever dies there leaves everything as it was.
ONLY_READ = {"calendar.look", "timeouts.due"}


def test_no_point_is_left_out() -> None:
    points = {point for crash in CRASHES for point in crash.points}
    assert port_calls() <= points
    names = transactions()
    assert len(names) == len(set(names)), "a name tells commits apart"
    assert [name for name in names if name not in ONLY_READ and not any(fnmatch(point, name) for point in points)] == []
    assert sum(crash.name.startswith("timeout ") for crash in CRASHES) == sum(timeout.matters is anywhere for timeout in TIMEOUTS)


@dataclass(slots=True)
class Crashed:
    """What a crash left behind. `answer` is the code that the same request got afterwards, "" for none; None before it was repeated."""

    crash: Crash
    moment: str
    trial: TrialCall
    broken: bool
    answer: str | None = None

    async def ask_again(self) -> None:
        """As a client does that got no answer; what the service does by itself needs no asking."""
        if not self.crash.is_request:
            self.answer = ""
            return
        try:
            await self.crash.during(self.trial)
        except Refused as refusal:
            self.answer = refusal.code
        else:
            self.answer = ""

    async def wrongs(self) -> list[str]:
        """What is not as it should be; empty in the end."""
        wrong = await differences(self.trial)
        if self.answer not in self.crash.again:
            wrong.append(f"the same request got {self.answer!r}")
        if len(list(await self.trial.calls())) > 1:
            wrong.append("the same request did its work twice")
        return wrong


@dataclass(slots=True)
class Lane:
    service: KillableService
    simulator: Simulator
    pausable: PausableClock
    database: "asyncpg.Connection"
    crashed_services: list[Crashed] = field(default_factory=list)

    async def crash_and_restart(self, crash: Crash, moment: str) -> None:
        """One crash and the next service's start."""
        trial = await TrialCall(self.service, self.simulator, self.pausable, self.database).gather()
        for step in crash.before:
            await step(trial)
        self.simulator.faults.status = dict.fromkeys(crash.faults, 500)
        if crash.asleep:
            self.service.kill()
            await crash.during(trial)
            meanwhile = [crash.meanwhile(trial)] if crash.meanwhile else []
            await asyncio.gather(self.service.start_to_die(moment), *meanwhile)
        else:
            await self.service.arm(moment)
            with cut_off():
                await crash.during(trial)
            await self.service.dies(moment)
        self.simulator.faults.status = {}
        broken = bool(await differences(trial))
        await self.service.start()
        self.crashed_services.append(Crashed(crash, moment, trial, broken))

    async def repeat_requests(self) -> None:
        """Repeats each request as soon as its call is in order."""
        for crashed in self.crashed_services:
            if crashed.answer is None and not await differences(crashed.trial):
                await crashed.ask_again()

    async def all_well(self) -> bool:
        await self.repeat_requests()
        return not await self.wrongs()

    async def wrongs(self) -> dict[str, list[str]]:
        """What is still wrong, by where the process died."""
        found = {f"{crashed.crash.name}: {crashed.moment}": await crashed.wrongs() for crashed in self.crashed_services}
        return {where: words for where, words in found.items() if words}


@asynccontextmanager
async def lane(forks: ForkServer, database_url: str) -> AsyncIterator[Lane]:
    async with AsyncExitStack() as stack:
        port = free_port()
        pausable = PausableClock()
        simulator, livekit_url = await stack.enter_async_context(simulated(port, pausable))
        http = await stack.enter_async_context(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30))
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        service = KillableService(forks, port, database_url, livekit_url, http)
        stack.callback(service.kill)
        await service.start()
        yield Lane(service, simulator, pausable, database)


# All of them are some 180 crashes: two minutes on two idle cores.
@pytest.mark.timeout(480)
async def test_whatever_moment_it_dies_at(databases: Databases, migrated_template: str, request: pytest.FixtureRequest) -> None:
    request.node.add_report_section("call", "sample", f"NCHAT_TRIALS_SEED={SEED}")
    others = thinned([crash.name for crash in CRASHES if crash.name not in BROKEN])
    ways = [crash for crash in CRASHES if crash.name in others or crash.name in BROKEN]
    waiting = sampled([(crash, moment) for moment in crash.moments()] for crash in ways)
    waiting.reverse()

    async def crash_all(one: Lane) -> None:
        while waiting:
            crash, moment = waiting.pop()
            try:
                await one.crash_and_restart(crash, moment)
            except TimeoutError:
                pytest.fail(f"{crash.name}: nothing died at {moment}")
            await one.repeat_requests()
        try:
            await eventually(one.all_well, seconds=REPAIRED_WITHIN, every=0.5)
        except AssertionError:
            assert await one.wrongs() == {}

    async with AsyncExitStack() as stack:
        urls = [stack.enter_context(databases.temporary(migrated_template)) for _ in range(LANES)]
        forks = await stack.enter_async_context(open_fork_server(urls[0]))
        lanes = [await stack.enter_async_context(lane(forks, url)) for url in urls]
        await asyncio.gather(*(crash_all(one) for one in lanes))
        broken = {crashed.crash.name for one in lanes for crashed in one.crashed_services if crashed.broken}
        # Otherwise nothing was repaired.
        assert broken >= BROKEN if WHOLE else broken & BROKEN
