"""One measurement: events to subscribers in another process, and what the sending process spent on them."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import psutil

from bench.fanout.candidates import Candidate

# Seconds until every subscriber has what is on its way.
PATIENCE = 30.0


@dataclass(slots=True)
class Received:
    """What subscribers received since the last time; delays in seconds."""

    events: int
    lost: int
    doubled: int
    closed: int
    p50: float
    p99: float

    def add(self, later: "Received") -> None:
        """Those that came later; delays stay those of the first."""
        self.events += later.events
        self.lost += later.lost
        self.doubled += later.doubled
        self.closed += later.closed


@dataclass(frozen=True, slots=True)
class Measured:
    """Deliveries in a second of the process's CPU time, what a socket holds in bytes, and what subscribers received."""

    per_cpu_second: float
    bytes_each: float
    received: Received

    @property
    def is_whole(self) -> bool:
        """Whether every subscriber has every event once and in order."""
        return not (self.received.lost or self.received.doubled or self.received.closed)


class Swarm:
    """The subscribers' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def received(self) -> Received:
        """Since the last time."""
        return Received(**orjson.loads(await self._answer(b"\n")))

    async def read_on(self) -> Received:
        """Those who read slowly read on like the others; what was received since the last time."""
        return Received(**orjson.loads(await self._answer(b"fast\n")))

    async def _answer(self, order: bytes) -> bytes:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(order)
        return await self._process.stdout.readline()


@asynccontextmanager
async def swarm(of: Candidate, many: int, slow: int = 0) -> AsyncIterator[Swarm]:
    """So many subscribers; the first `slow` of them read for a hundredth of the time."""
    command = [sys.executable, "-m", "bench.fanout.swarm", str(of.port), str(many), str(slow)]
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(orjson.dumps(of.order) + b"\n")
        assert await process.stdout.readline() == b"ready\n"
        yield Swarm(process)
    finally:
        process.kill()
        await process.wait()


async def measure(of: Candidate, many: int, rate: float, seconds: float) -> Measured:
    """Events at this rate, evenly spaced, to so many subscribers, all of which have all of them in the end."""
    process = psutil.Process(of.pid)
    before = process.memory_info().rss
    async with swarm(of, many) as subscribers:
        await settle(of, subscribers)
        held = process.memory_info().rss - before
        number = max(1, int(rate * seconds))
        cpu = cpu_of(process)
        await emit(of, number, rate)
        found = await all_received(subscribers, number * many)
        return Measured(found.events / (cpu_of(process) - cpu), held / many, found)


async def settle(of: Candidate, subscribers: Swarm) -> None:
    """All follow what comes from now on: they have asked for it, which takes a moment to be answered. What came before is not counted."""
    await asyncio.sleep(1)
    await of.emit()
    await asyncio.sleep(1)
    await subscribers.received()


async def emit(of: Candidate, number: int, rate: float) -> None:
    """So many events, evenly spaced."""
    began = time.monotonic()
    for n in range(number):
        await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
        await of.emit()


async def all_received(subscribers: Swarm, number: int) -> Received:
    """Once they have so many events; what is missing then is lost."""
    give_up = time.monotonic() + PATIENCE
    found = await subscribers.read_on()
    while found.events < number and time.monotonic() < give_up:
        await asyncio.sleep(0.2)
        found.add(await subscribers.received())
    found.lost += max(0, number - found.events - found.lost)
    return found


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU time that it has had."""
    return float(sum(process.cpu_times()[:2]))
