"""Who delivers from an outbox: each item once at least, the same one never twice at a time, and none again after it was taken."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic

from domain.deliveries.outbox import Item, Outbox
from domain.ports import FigureName, NotTaken
from domain.world import World

# Seconds until new ones are looked for while others are under way.
LOOK_EVERY: Final = 0.5
# Hands one item over; raises NotTaken.
HandOver = Callable[[Item], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Courier(Generic[Item]):
    """`at_once` are the deliveries of one process at a time, `pause` how long after a try that failed the next comes.

    `told_age` is the figure that says how long the oldest item waits; `failed` hears of each failure, its word, and when it is tried again.
    """

    outbox: Outbox[Item]
    at_once: int
    pause: Callable[[Item], timedelta]
    told_age: FigureName
    failed: Callable[[Item, str, datetime], None]

    async def deliver_due(self, world: World, hand_over: HandOver[Item]) -> None:
        """Delivers everything that is due, in this process beside others.

        What a crash or a cancellation cuts off is due again a little later: the same item, with the same id, then comes once more.
        """
        world.figure(self.told_age, await self.outbox.oldest_age(world))
        under_way: set[asyncio.Task[None]] = set()
        try:
            while True:
                free = self.at_once - len(under_way)
                taken = await self.outbox.take(world, free) if free else ()
                under_way |= {asyncio.create_task(self._deliver(world, hand_over, item)) for item in taken}
                if not under_way:
                    return
                done, under_way = await asyncio.wait(under_way, timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
                for delivery in done:
                    delivery.result()
        finally:
            await _give_up(under_way)

    async def _deliver(self, world: World, hand_over: HandOver[Item], item: Item) -> None:
        try:
            await hand_over(item)
        except NotTaken as failure:
            again = world.clock.now() + self.pause(item)
            await self.outbox.settle(world, item, error=str(failure), next_attempt_at=again)
            self.failed(item, str(failure), again)
        else:
            await self.outbox.settle(world, item)


def doubled(first: float, attempt: int, longest: float) -> timedelta:
    """The pause after so many tries, all of which failed: from the first number of seconds it doubles up to the longest."""
    return timedelta(seconds=min(first * 2 ** min(attempt - 1, 16), longest))


async def _give_up(under_way: set[asyncio.Task[None]]) -> None:
    for delivery in under_way:
        delivery.cancel()
    if under_way:
        await asyncio.wait(under_way)
