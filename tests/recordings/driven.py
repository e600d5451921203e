"""What jobs ask LiveKit for, asked and waited for."""

import asyncio

from domain.recordings.recorder.driving import take_starts, take_stops
from domain.world import World


async def drive(world: World) -> None:
    """Everything that is due."""
    while starts := await take_starts(world):
        await asyncio.gather(*(start() for start in starts))
    await asyncio.gather(*(stop() for stop in await take_stops(world)))
