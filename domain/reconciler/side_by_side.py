"""Several requests to LiveKit at once, but not all."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

import structlog

from domain.ports import MediaError

log = structlog.get_logger(__name__)
ROOMS_AT_ONCE: Final = 8


async def side_by_side(work: Sequence[Awaitable[None]]) -> None:
    """A few at a time; one that LiveKit does not answer is left to the next round and holds up no other."""
    places = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def one(item: Awaitable[None]) -> None:
        async with places:
            try:
                await item
            except MediaError as error:
                log.warning("room_not_repaired", error=str(error))

    await asyncio.gather(*(one(item) for item in work))
