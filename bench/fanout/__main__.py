"""`make bench-fanout`: deliveries per CPU second of events to many websockets, beside the raw ceiling in the same run."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil
import uvloop

from bench.fanout.candidates import Candidate, ceiling, service
from devstack import valkey
from devstack.demo_data import seed
from devstack.migrated_database import migrated_database

# The ratio to the ceiling that one event after the other has to reach.
GOAL = 0.6
IDLE_SOCKETS, IDLE_CALLS, IDLE_SECONDS, IDLE_GOAL, IDLE_KIB = 2000, 200, 10.0, 0.03, 36


@dataclass(frozen=True, slots=True)
class Measured:
    """Deliveries in a second of the process's CPU time, and what subscribers saw; delays in seconds."""

    per_cpu_second: float
    events: int
    lost: int
    doubled: int
    p50: float
    p99: float
    bytes_each: float


class Swarm:
    """The subscribers' process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def received(self) -> dict[str, Any]:
        """Since the last time."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(b"\n")
        found: dict[str, Any] = orjson.loads(await self._process.stdout.readline())
        return found


@asynccontextmanager
async def swarm(of: Candidate, many: int) -> AsyncIterator[Swarm]:
    command = [sys.executable, "-m", "bench.fanout.swarm", str(of.port), str(many)]
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
        await asyncio.sleep(1)
        await of.emit()
        await asyncio.sleep(1)
        held = process.memory_info().rss - before
        await subscribers.received()
        number = int(rate * seconds)
        cpu = sum(process.cpu_times()[:2])
        began = time.monotonic()
        for n in range(number):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            await of.emit()
        found = await subscribers.received()
        give_up = time.monotonic() + 20
        while found["events"] < number * many and time.monotonic() < give_up:
            await asyncio.sleep(0.2)
            more = await subscribers.received()
            found = {**found, "events": found["events"] + more["events"], "lost": found["lost"] + more["lost"]}
            found["doubled"] += more["doubled"]
        spent = sum(process.cpu_times()[:2]) - cpu
        missing = number * many - found["events"]
        return Measured(
            found["events"] / spent, found["events"], found["lost"] + missing, found["doubled"], found["p50"], found["p99"], held / many
        )


def told(of: Candidate, many: int, rate: float, found: Measured) -> None:
    print(
        f"  {of.name:8} {many:5} sockets, {rate:5.0f}/s: {found.per_cpu_second / 1000:6.0f} k deliveries a CPU second, "
        f"p50 {found.p50 * 1000:5.1f} ms, p99 {found.p99 * 1000:5.1f} ms, lost {found.lost}, doubled {found.doubled}, "
        f"{found.bytes_each / 1024:.0f} KiB each",
        flush=True,
    )


async def idle(database_url: str, redis_url: str) -> bool:
    """What listeners cost who hear nothing: beyond what the service costs alone, as a part of one core."""
    async with service(database_url, redis_url, IDLE_CALLS) as alone:
        process = psutil.Process(alone.pid)

        async def cpu(seconds: float) -> float:
            before = sum(process.cpu_times()[:2])
            await asyncio.sleep(seconds)
            return float(sum(process.cpu_times()[:2]) - before) / seconds

        quiet, held = await cpu(IDLE_SECONDS), process.memory_info().rss
        async with swarm(alone, IDLE_SOCKETS):
            await asyncio.sleep(3)
            listening, held = await cpu(IDLE_SECONDS), process.memory_info().rss - held
    share = listening - quiet
    print(
        f"  {IDLE_SOCKETS} idle listeners on {IDLE_CALLS} calls: {share:.1%} of a core (goal {IDLE_GOAL:.0%}), "
        f"the service alone {quiet:.1%}; {held / IDLE_SOCKETS / 1024:.0f} KiB each (goal {IDLE_KIB})\n",
        flush=True,
    )
    return share <= IDLE_GOAL and held / IDLE_SOCKETS <= IDLE_KIB * 1024


async def compare(options: argparse.Namespace, database_url: str, redis_url: str) -> bool:
    async with AsyncExitStack() as stack:
        candidates = [await stack.enter_async_context(one) for one in (service(database_url, redis_url), ceiling())]
        well = True
        for many in options.sockets:
            for rate in options.rates:
                found = []
                for candidate in candidates:
                    one = await measure(candidate, many, rate, options.seconds)
                    told(candidate, many, rate, one)
                    found.append(one)
                ratio = found[0].per_cpu_second / found[1].per_cpu_second
                print(f"  {many} sockets, {rate:.0f}/s: {ratio:.2f} of the ceiling (goal {GOAL})\n", flush=True)
                well = well and ratio >= GOAL and not found[0].lost and not found[0].doubled
    return well


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fanout", description=__doc__)
    parser.add_argument("--sockets", type=int, nargs="+", default=[500, 2000, 8000], help="subscribers (default 500 2000 8000)")
    parser.add_argument("--rates", type=float, nargs="+", default=[10], help="events a second (default 10)")
    parser.add_argument("--seconds", type=float, default=8, help="length of each measurement (default 8)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nchat-fanout-") as folder, migrated_database() as database_url:
        broker = valkey.start(Path(folder))
        try:
            uvloop.run(seed(database_url))
            redis_url = f"redis://{broker.address}"
            well = uvloop.run(idle(database_url, redis_url))
            well = uvloop.run(compare(options, database_url, redis_url)) and well
        finally:
            broker.stop()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
