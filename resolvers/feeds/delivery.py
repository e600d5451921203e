"""What a channel is told, on its way to all who follow."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from resolvers.feeds.follower import Follower
from resolvers.feeds.told import EventBatch, Told

# So many are written to before others have their turn on the event loop.
PUSHED_AT_ONCE: Final = 250
# Events and bytes that are on their way at once: what comes then waits until all of them have arrived.
ON_THE_WAY: Final = 256
BYTES_ON_THE_WAY: Final = 256 * 1024


class Delivery:
    """From one follower to the next in a ring. What comes while it is under way reaches those who were not visited yet in one write with
    what they miss, and then goes on to the others: nobody waits for longer than one way round takes, and the more there is to write the
    more goes out in one write."""

    __slots__ = ("_batches", "_behind", "_going", "_on_the_way", "_visits")

    def __init__(self) -> None:
        # Who is still to be visited, whoever has waited longest first.
        self._behind: dict[Follower, None] = {}
        # With the number of visits after which everybody has been told it.
        self._on_the_way: deque[tuple[int, Sequence[Told]]] = deque()
        self._visits = 0
        # What those miss who are at this seq.
        self._batches: dict[int, EventBatch] = {}
        self._going: asyncio.Task[None] | None = None

    def send(self, news: Sequence[Told], followers: Mapping[Follower, None]) -> None:
        """To all of these, who have what was sent before or will be visited. Where they are few they have it on return."""
        # Whoever is behind keeps the place; all others come after.
        self._behind.update(followers)
        self._on_the_way.append((self._visits + len(self._behind), news))
        self._batches.clear()
        if self._going is None or self._going.done():
            self._visit()
            if self._behind:
                self._going = asyncio.create_task(self._go_on(), name="delivery")

    async def room_for_more(self) -> None:
        """Returns when not too much is under way."""
        events = [told for _, news in self._on_the_way for told in news]
        if len(events) >= ON_THE_WAY or sum(len(told.body) for told in events) >= BYTES_ON_THE_WAY:
            await self.arrived()

    async def arrived(self) -> None:
        """Returns when nothing is under way."""
        if self._going is not None:
            await asyncio.wait((self._going,))

    def end(self) -> None:
        """There is nobody left."""
        self._behind.clear()
        if self._going is not None:
            self._going.cancel()

    async def _go_on(self) -> None:
        while self._behind:
            await asyncio.sleep(0)
            self._visit()

    def _visit(self) -> None:
        part = list(islice(self._behind, PUSHED_AT_ONCE))
        for follower in part:
            del self._behind[follower]
            if follower.live:
                self._push(follower)
            else:
                follower.wake()
        self._visits += len(part)
        while self._on_the_way and self._on_the_way[0][0] <= self._visits:
            self._on_the_way.popleft()
        if not self._on_the_way:
            self._batches.clear()

    def _push(self, follower: Follower) -> None:
        batch = self._batches.get(follower.cursor)
        if batch is None:
            missed = [told for _, news in self._on_the_way for told in news if told.seq > follower.cursor]
            if not missed:
                # It came by itself.
                return
            batch = self._batches[follower.cursor] = EventBatch(missed)
        try:
            follower.push(batch)
        except Exception as error:  # noqa: BLE001 - a fault in one's way out is that one's: it is raised there
            follower.end(error)
