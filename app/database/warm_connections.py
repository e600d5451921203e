"""Connections of a pool that stay at hand for a while: to lend one and take it back costs asyncpg as much as a short statement."""

import asyncio
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

import asyncpg

ACQUIRE_TIMEOUT: Final = 10.0
# Seconds that an unused connection stays at hand, and that a busy one stays before the pool looks after it again.
UNUSED: Final = 1.0
AT_MOST: Final = 60.0


class WarmConnections:
    """A pool's connections, the one used last lent first. The pool opens, counts, expires and closes them as before."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._warm: list[Lent] = []
        # Who waits in the pool's own line: what comes back goes there.
        self._waiting = 0
        self._generation = 0
        self._cooling: asyncio.Task[None] | None = None

    def acquire(self) -> "Lending":
        """Lends a connection while it is entered; raises TimeoutError when none is free for `ACQUIRE_TIMEOUT` seconds."""
        return Lending(self)

    def size(self) -> tuple[int, int]:
        """How many connections are open, and how many of them are idle."""
        return self._pool.get_size(), self._pool.get_idle_size() + len(self._warm)

    async def expire(self) -> None:
        """None of the connections that are open now is lent again."""
        self._generation += 1
        await self._pool.expire_connections()
        for lent in self._taken(self._warm):
            # Without a goodbye: most likely nobody is there to hear it.
            if lent.is_open():
                lent.connection.terminate()

    async def close(self) -> None:
        """What comes back from now on is not kept. The pool itself is still to be closed."""
        self._generation = -1
        if self._cooling is not None:
            self._cooling.cancel()
        await self._release(self._taken(self._warm))

    def at_hand(self) -> "Lent | None":
        """One that is warm, nobody's from now on but the caller's."""
        while self._warm:
            lent = self._warm.pop()
            if lent.is_open():
                return lent
        return None

    async def from_pool(self) -> "Lent":
        """One of the pool's; raises TimeoutError when none is free for `ACQUIRE_TIMEOUT` seconds."""
        self._waiting += 1
        try:
            return Lent(await self._pool.acquire(timeout=ACQUIRE_TIMEOUT), self._generation)
        finally:
            self._waiting -= 1

    def keep(self, lent: "Lent") -> bool:
        """Whether it stays at hand for whoever comes next; otherwise it is to go back to the pool."""
        lent.used = now = time.monotonic()
        if self._waiting or lent.generation != self._generation or now - lent.since > AT_MOST:
            return False
        self._warm.append(lent)
        if self._cooling is None or self._cooling.done():
            self._cooling = asyncio.create_task(self._cool(), name="connections-cool")
        return True

    async def to_pool(self, lent: "Lent", *, clean: bool) -> None:
        """After a statement that failed the connection may still be at it: the pool knows how to end that."""
        if not clean and lent.is_open():
            lent.connection.was_interrupted()
        await self._pool.release(lent.connection)

    async def _cool(self) -> None:
        while self._warm:
            await asyncio.sleep(UNUSED)
            before = time.monotonic() - UNUSED
            await self._release(self._taken([lent for lent in self._warm if lent.used < before]))

    def _taken(self, some: list["Lent"]) -> list["Lent"]:
        """Nobody else has them any more."""
        self._warm = [lent for lent in self._warm if lent not in some]
        return some

    async def _release(self, some: list["Lent"]) -> None:
        await asyncio.gather(*(self._release_one(lent) for lent in some))

    async def _release_one(self, lent: "Lent") -> None:
        # The server closed it in this very moment, and the pool knows already.
        with suppress(asyncpg.InternalClientError):
            await self._pool.release(lent.connection)


class Lent:
    """One connection, when it left the pool and when it was last used."""

    __slots__ = ("connection", "generation", "since", "used")

    def __init__(self, connection: Any, generation: int) -> None:
        self.connection, self.generation = connection, generation
        self.since = self.used = time.monotonic()

    def is_open(self) -> bool:
        """Of one that the server has closed the pool has taken the connection away."""
        try:
            return not self.connection.is_closed()
        except asyncpg.InterfaceError:
            return False


class Lending:
    """A context manager of its own class: a generator's costs more than the rest."""

    __slots__ = ("_connections", "_lent")

    def __init__(self, connections: WarmConnections) -> None:
        self._connections = connections
        self._lent: Lent | None = None

    async def __aenter__(self) -> Any:
        self._lent = lent = self._connections.at_hand() or await self._connections.from_pool()
        return lent.connection

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        lent, self._lent = self._lent, None
        clean = kind is None
        if lent is not None and not (clean and self._connections.keep(lent)):
            await self._connections.to_pool(lent, clean=clean)
