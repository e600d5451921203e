"""A database that fails over is away for some seconds: who follows waits, and need not begin anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from resolvers.sql.database import DatabaseError

PATIENCE: Final = 30.0
TRY_EVERY: Final = 0.5
# SQLSTATEs, or their classes, of a database that is not there, or about to go, or that takes nobody in.
AWAY: Final = ("08", "57", "3D000", "53300", "55000")
# Of one that is being restored: what our statements name is not there yet, or was another thing when they were prepared.
HALF_THERE: Final = ("0A000", "26000", "3F000", "42703", "42704", "42883", "42P01", "XX000")

T = TypeVar("T")


def passes(error: DatabaseError) -> bool:
    """Whether the same question may be answered in a while, though nothing is changed in it."""
    return error.sqlstate.startswith((*AWAY, *HALF_THERE))


async def patient(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again while the database is away: without its word on the right nothing is told. Raises DatabaseError after PATIENCE seconds."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + PATIENCE
    while True:
        try:
            return await ask()
        except DatabaseError as error:
            if not passes(error) or loop.time() > give_up:
                raise
        await asyncio.sleep(TRY_EVERY)
