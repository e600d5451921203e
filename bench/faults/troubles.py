"""What goes wrong, again and again, while others follow."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from bench.faults.calls import connected
from bench.faults.services import Service
from devstack import valkey

# Seconds between two troubles, how long Redis stays away, and how long a process serves in peace before it is killed.
BETWEEN: Final = (0.2, 1.0)
AWAY: Final = (0.1, 1.5)
IN_PEACE: Final = (3.0, 9.0)
# How often PostgreSQL's connections, Redis, and its connections.
WEIGHTS: Final = (2, 1, 2)
Seconds = tuple[float, float]
# Half of them, whoever they are, but the one that asks.
_TERMINATE: Final = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = $1 AND pid <> pg_backend_pid() AND random() < 0.5"""


class Broker:
    """A Redis that is killed, and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = valkey.start(folder)

    @property
    def port(self) -> int:
        return int(self._running.address.rpartition(":")[2])

    async def restart(self, away: float) -> None:
        """It is gone for so many seconds, without a goodbye."""
        self._running.kill()
        await asyncio.sleep(away)
        self._running = await asyncio.to_thread(valkey.start, self._folder, self.port)

    async def cut(self) -> None:
        """Ends all connections, those that listen and those that publish."""
        async with Redis(port=self.port, protocol=2) as redis:
            for kind in ("pubsub", "normal"):
                await redis.execute_command("CLIENT", "KILL", "TYPE", kind)  # type: ignore[no-untyped-call]

    def stop(self) -> None:
        self._running.stop()


class Troubles:
    """`database` is broken by its server's superuser, who comes in by another one at `url`. A process lives `in_peace` for so long.

    `met` counts what happened.
    """

    def __init__(
        self, broker: Broker, url: str, database: str, services: Sequence[Service], dice: random.Random, in_peace: Seconds = IN_PEACE
    ) -> None:
        self._broker, self._url, self._database, self._services, self._dice = broker, url, database, services, dice
        self._in_peace = in_peace
        self._over = asyncio.Event()
        self.met: Counter[str] = Counter()

    async def go_on(self) -> None:
        """Until it is told to end; then everything is up again."""
        await asyncio.gather(self._keep_breaking(), self._keep_killing())

    def end(self) -> None:
        """Nothing more is broken."""
        self._over.set()

    async def _keep_breaking(self) -> None:
        """Each of the ways at least once."""
        ways = [self._cut_postgres, self._restart_redis, self._cut_redis]
        for way in ways:
            await self._peace(BETWEEN)
            await way()
        while await self._peace(BETWEEN):
            await self._dice.choices(ways, WEIGHTS)[0]()

    async def _keep_killing(self) -> None:
        """One process after the other, each killed once the one before is back; one at least."""
        waiting = deque(self._services)
        while await self._peace(self._in_peace) or not self.met["processes killed"]:
            await waiting[0].kill()
            self.met["processes killed"] += 1
            await waiting[0].start()
            waiting.rotate()

    async def _peace(self, seconds: Seconds) -> bool:
        """Whether it goes on after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._dice.uniform(*seconds)):
                await self._over.wait()
        return not self._over.is_set()

    async def _cut_redis(self) -> None:
        await self._broker.cut()
        self.met["times Redis connections killed"] += 1

    async def _restart_redis(self) -> None:
        await self._broker.restart(self._dice.uniform(*AWAY))
        self.met["times Redis killed and started"] += 1

    async def _cut_postgres(self) -> None:
        async with connected(self._url) as database:
            self.met["PostgreSQL connections killed"] += await database.fetchval(_TERMINATE, self._database)
