"""Several requests to LiveKit at once, but not all."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

ROOMS_AT_ONCE: Final = 8
T = TypeVar("T")


async def side_by_side(work: Sequence[Awaitable[T]]) -> list[T]:
    """A few at a time; what came of each, in order."""
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def one(item: Awaitable[T]) -> T:
        async with places:
            return await item

    return await asyncio.gather(*(one(item) for item in work))
