"""Closing connections to a PostgreSQL that may be frozen or cut off: politely, but not for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

import asyncpg
import structlog

log = structlog.get_logger(__name__)

# Seconds for each pool. A server that is well takes milliseconds; one that isn't gets no goodbye, and rolls back what is open.
WITHIN: Final = 0.5


class Terminable(Protocol):
    def terminate(self) -> None: ...


async def close_pool(pool: "asyncpg.Pool", first: Awaitable[None] | None = None) -> None:
    """Waits for what the pool has lent out and says goodbye on each connection; after `WITHIN` seconds they are cut.

    `first` gives back what nobody uses any more.
    """

    async def close() -> None:
        if first is not None:
            await first
        await pool.close()

    await _closed(close(), pool.terminate)


async def close_engine(dispose: Awaitable[None], opened: Iterable[Terminable]) -> None:
    """The same for an engine of SQLAlchemy, which does not know of the connections that it has lent out."""

    def terminate() -> None:
        for connection in list(opened):
            connection.terminate()

    await _closed(dispose, terminate)
    # Those that somebody still holds.
    terminate()


async def _closed(closing: Awaitable[None], terminate: Callable[[], None]) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            await closing
    except TimeoutError:
        log.info("connections_cut", hint="the database did not answer the goodbye")
        terminate()
