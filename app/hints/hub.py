"""One hub a process: followers by topic, woken by what the broker brings."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from broadcaster import BroadcastBackend
from broadcaster._backends.memory import MemoryBackend

from app.hints.postgres_backend import PostgresBackend
from app.hints.redis_backend import RedisBackend
from app.hints.shared_backend import SharedBackend
from domain.hub import Following
from domain.ports import Hint


class _Follower:
    """`domain.hub.Following`: a flag, so that a slow reader costs nothing."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._hinted, self._since = asyncio.Event(), 0.0

    def notify(self) -> None:
        if not self._hinted.is_set():
            self._since = self._loop.time()
            self._hinted.set()

    async def changed(self, within: float) -> float:
        try:
            async with asyncio.timeout(within):
                await self._hinted.wait()
        except TimeoutError:
            return self._loop.time()
        finally:
            self._hinted.clear()
        return self._since

    def seen(self) -> None:
        self._hinted.clear()


class BroadcastHub:
    """`domain.hub.Hub` and `domain.ports.Publisher` over a backend of broadcaster.

    broadcaster's own `Broadcast` keeps an unbounded queue of messages for each subscriber and ends for good when its backend
    fails once; here a subscriber is a flag, and the backend is asked to repair itself.
    """

    def __init__(self, backend: BroadcastBackend) -> None:
        self._backend = backend
        self._followers: dict[str, set[_Follower]] = {}

    @property
    def connected(self) -> bool:
        """Whether hints of other processes arrive at this moment; nothing is lost while they don't, only later."""
        return not isinstance(self._backend, SharedBackend) or self._backend.connected

    @property
    def broker(self) -> str | None:
        """What carries hints to other processes: `redis`, `postgres`, or None when they stay in this one."""
        return self._backend.name if isinstance(self._backend, SharedBackend) else None

    async def look(self) -> None:
        """Raises ConnectionError while hints of other processes don't arrive."""
        if not self.connected:
            raise ConnectionError

    async def publish(self, hints: Sequence[Hint]) -> None:
        """Each topic once; seqs are not sent, readers have cursors of their own."""
        for topic in dict.fromkeys(hint.topic for hint in hints):
            await self._backend.publish(topic, "")

    def follow(self, topics: Collection[str]) -> AbstractAsyncContextManager[Following]:
        return self._follow(frozenset(topics))

    @asynccontextmanager
    async def _follow(self, topics: frozenset[str]) -> AsyncIterator[Following]:
        follower = _Follower()
        try:
            for topic in topics:
                self._followers.setdefault(topic, set()).add(follower)
                # Each follower: whoever comes while the broker is still being asked has to wait as well.
                await self._backend.subscribe(topic)
            yield follower
        finally:
            for topic in topics:
                await self._leave(topic, follower)

    async def _leave(self, topic: str, follower: _Follower) -> None:
        followers = self._followers.get(topic, set())
        followers.discard(follower)
        if not followers and self._followers.pop(topic, None) is not None:
            await self._backend.unsubscribe(topic)

    async def listen(self) -> None:
        """Wakes followers until it is cancelled."""
        while True:
            event = await self._backend.next_published()
            for follower in self._followers.get(event.channel, ()):
                follower.notify()


def open_hub(redis_url: str | None = None, database_url: str | None = None) -> AbstractAsyncContextManager[BroadcastHub]:
    """Through Redis between processes, through PostgreSQL where only that is named, or in memory for one process."""
    if redis_url is not None:
        return hub_over(RedisBackend(redis_url))
    return hub_over(MemoryBackend("memory://") if database_url is None else PostgresBackend(database_url))


@asynccontextmanager
async def hub_over(backend: BroadcastBackend) -> AsyncIterator[BroadcastHub]:
    """Connects the backend and listens to it until the block ends."""
    hub = BroadcastHub(backend)
    await backend.connect()
    listening = asyncio.create_task(hub.listen(), name="hub")
    try:
        yield hub
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await backend.disconnect()
