"""Those who get the same bytes: one room, one authorization class, one document."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from resolvers.feeds.delivery import Delivery
from resolvers.feeds.follower import Follower
from resolvers.feeds.told import Told
from resolvers.hand_written.room_feed import PAGE, Encode, Event

# What those get who are a little behind; whoever is further behind reads from the database.
HELD_EVENTS: Final = 256
HELD_BYTES: Final = 256 * 1024

# What follows a seq, with the permissions of this follower, which are those of all.
Page = Callable[[Follower, int], Awaitable[Sequence[Event]]]
# Whether it may follow at this moment; if not, it is no follower any more.
MayFollow = Callable[[Follower], Awaitable[bool]]


class Memory:
    """Bytes that all channels of a process hold together. Beyond `most` they hold nothing, and everybody who is behind reads again."""

    def __init__(self, most: int = 64 << 20) -> None:
        self.most, self.held = most, 0


class Channel:
    """`told` is the last seq that went out; what follows it is read once and encoded once, whatever the number of followers.

    `taken_back` counts how often something that was told turned into something else. Nothing that its followers see lies between
    `shown` and `told`.
    """

    def __init__(self, told: int, page: Page, encode: Encode, memory: Memory, may_follow: MayFollow, *, of_state: bool = False) -> None:
        self.told = self.shown = told
        self._page, self._encode, self._memory, self._may_follow = page, encode, memory, may_follow
        self._of_state = of_state
        self.taken_back = 0
        self.followers: dict[Follower, None] = {}
        self.delivery = Delivery()
        self._held: deque[Told] = deque()
        self._bytes = 0
        self._replays: dict[tuple[int, int, int], asyncio.Future[Sequence[Told]]] = {}

    @property
    def reader(self) -> Follower | None:
        """In whose name it is read."""
        return next(iter(self.followers), None)

    async def news(self) -> Sequence[Told]:
        """What has come since it was last told something, at most a page."""
        return await self._read(self.told)

    def tell(self, news: Sequence[Told]) -> None:
        """From now on this is told: it is sent to all."""
        self.told = self.shown = news[-1].seq
        for event in news:
            self._hold(event)
        self.delivery.send(news, self.followers)

    def take_back(self, seq: int) -> None:
        """As far as this it reads otherwise since, whether or not its followers were told of that: it is held no more."""
        self.taken_back += 1
        while self._held and self._held[0].seq <= seq:
            self._let_go()

    def pass_over(self, seq: int) -> None:
        """As far as this there is nothing that they see: it is not asked for again."""
        self.told = max(self.told, seq)

    async def as_seen_by(self, follower: Follower, after: int) -> Sequence[Told]:
        """A page as this one sees it, whatever becomes of the others. What it is worth only its right at a later moment says."""
        return await self._written(await self._page(follower, after))

    async def after(self, seq: int, known: int = 0) -> Sequence[Told]:
        """What follows this seq, as far as it is told: what is held, or a page of the database, which all share who ask for the same.

        Nothing is older than what was there when `known` was the last.
        """
        if self.told >= known and self._held and self._held[0].seq <= seq + 1:
            return [told for told in self._held if told.seq > seq]
        # One that began when less was known may tell what was taken back since.
        asked = (seq, max(self.told, known), self.taken_back)
        replay = self._replays.get(asked)
        if replay is None:
            replay = self._replays[asked] = asyncio.ensure_future(self._read(seq))
            replay.add_done_callback(lambda _: self._replays.pop(asked, None))
        # Of those who share it one may go.
        found = await asyncio.shield(replay)
        # What is newer has taken the place of what is told: left out, nothing would be there to tell.
        return found if self._of_state else [told for told in found if told.seq <= self.told]

    def close(self) -> None:
        """Holds nothing any more."""
        self.delivery.end()
        self._held.clear()
        self._memory.held -= self._bytes
        self._bytes = 0

    async def _read(self, after: int) -> Sequence[Told]:
        while (reader := self.reader) is not None:
            events = await self._page(reader, after)
            # What it does not see it may have lost the right to; others have it.
            if not any(event.hidden for event in events) or await self._may_follow(reader):
                return await self._written(events)
        return []

    async def _written(self, events: Sequence[Event]) -> Sequence[Told]:
        return [Told(event.seq, await self._encode(event.value), event.takes_back) for event in events[:PAGE]]

    def _hold(self, told: Told) -> None:
        if told.takes_back:
            self.take_back(told.takes_back)
        self._held.append(told)
        self._count(len(told.body))
        while self._held and (len(self._held) > HELD_EVENTS or self._bytes > HELD_BYTES or self._memory.held > self._memory.most):
            self._let_go()

    def _let_go(self) -> None:
        self._count(-len(self._held.popleft().body))

    def _count(self, size: int) -> None:
        self._bytes += size
        self._memory.held += size
