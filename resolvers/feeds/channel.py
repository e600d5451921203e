"""Those who get the same bytes: one room, one authorization class, one document."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from resolvers.feeds.follower import Follower
from resolvers.feeds.told import EventBatch, Told
from resolvers.hand_written.room_feed import PAGE, Encode, Event

# What those get who are a little behind; whoever is further behind reads from the database.
HELD_EVENTS: Final = 256
HELD_BYTES: Final = 256 * 1024

# What follows a seq, with the permissions of this follower, which are those of all.
Page = Callable[[Follower, int], Awaitable[Sequence[Event]]]


class Memory:
    """Bytes that all channels of a process hold together. Beyond `most` they hold nothing, and everybody who is behind reads again."""

    def __init__(self, most: int = 64 << 20) -> None:
        self.most, self.held = most, 0


class Channel:
    """`told` is the last seq that went out; what follows it is read once and encoded once, whatever the number of followers."""

    def __init__(self, told: int, page: Page, encode: Encode, memory: Memory) -> None:
        self.told, self._page, self._encode, self._memory = told, page, encode, memory
        self.followers: dict[Follower, None] = {}
        self._held: deque[Told] = deque()
        self._bytes = 0
        self._replays: dict[int, asyncio.Future[Sequence[Told]]] = {}

    async def news(self) -> EventBatch | None:
        """What has come since the last time, at most a page. From now on it is told."""
        events = await self._read(self.told)
        if not events:
            return None
        self.told = events[-1].seq
        for event in events:
            self._hold(event)
        return EventBatch(events)

    async def after(self, seq: int) -> Sequence[Told]:
        """What follows this seq, as far as it is told: what is held, or a page of the database, which all share who ask for the same."""
        if self._held and self._held[0].seq <= seq + 1:
            return [told for told in self._held if told.seq > seq]
        replay = self._replays.get(seq)
        if replay is None:
            replay = self._replays[seq] = asyncio.ensure_future(self._read(seq))
            replay.add_done_callback(lambda _: self._replays.pop(seq, None))
        # Of those who share it one may go.
        return [told for told in await asyncio.shield(replay) if told.seq <= self.told]

    def close(self) -> None:
        """Holds nothing any more."""
        self._held.clear()
        self._memory.held -= self._bytes
        self._bytes = 0

    async def _read(self, after: int) -> Sequence[Told]:
        if not self.followers:
            return []
        events = await self._page(next(iter(self.followers)), after)
        return [Told(event.seq, await self._encode(event.value)) for event in events[:PAGE]]

    def _hold(self, told: Told) -> None:
        self._held.append(told)
        self._count(len(told.body))
        while self._held and (len(self._held) > HELD_EVENTS or self._bytes > HELD_BYTES or self._memory.held > self._memory.most):
            self._count(-len(self._held.popleft().body))

    def _count(self, size: int) -> None:
        self._bytes += size
        self._memory.held += size
