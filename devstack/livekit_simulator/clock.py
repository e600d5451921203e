"""Time for the simulator: the wall's, faster, or only when a test says so."""

import asyncio
import heapq
import itertools
import time
from typing import Protocol


class SimulatorClock(Protocol):
    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class WallClock:
    """Real time; with `speed` 10 a simulated second takes a tenth of one."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._epoch = time.time()
        self._started = time.monotonic()

    def now(self) -> float:
        return self._epoch + (time.monotonic() - self._started) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)


class ManualClock:
    """Stands still until `advance`."""

    def __init__(self) -> None:
        self._now = float(int(time.time()))
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    def is_awaited(self, seconds: float) -> bool:
        """Whether somebody sleeps until exactly `seconds` from now."""
        return any(abs(due - self._now - seconds) < 1e-6 and not future.done() for due, _, future in self._sleepers)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Moves time on, waking each sleeper at its moment and letting it run until it sleeps again or waits for a socket."""
        target = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await run_ready_tasks()
        self._now = target
        await run_ready_tasks()


async def run_ready_tasks() -> None:
    """A few turns of the loop: enough for a woken task to get to its next sleep."""
    for _ in range(5):
        await asyncio.sleep(0)
