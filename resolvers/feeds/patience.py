"""A database that fails over is away for some seconds: who follows waits, and need not begin anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from resolvers.sql.database import DatabaseError

PATIENCE: Final = 30.0
TRY_EVERY: Final = 0.5
# The SQLSTATE classes of a database that is not there, or about to go.
AWAY: Final = ("08", "57")

T = TypeVar("T")


async def patient(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again while the database is away: without its word on the right nothing is told. Raises DatabaseError after PATIENCE seconds."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + PATIENCE
    while True:
        try:
            return await ask()
        except DatabaseError as error:
            if not error.sqlstate.startswith(AWAY) or loop.time() > give_up:
                raise
        await asyncio.sleep(TRY_EVERY)
