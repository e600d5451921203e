"""The connection to Redis: listening to channels, publishing, and both again after Redis was away."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSilent

from devstack.media.bus import messages

log = structlog.get_logger()
PAUSE: Final = 0.2
# What is published and awaited can fail so while Redis is away.
AWAY: Final = (RedisAway, RedisSilent, OSError)
# Called with a message and the payload it came in.
Listener = Callable[[Any, bytes], None]
_KEPT_OPEN: Final = "devstack"


class Bus:
    """Who listens on a channel hears what is published there from then on, but for what is published while Redis is away."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=2, socket_timeout=None)
        self._listeners: dict[str, Listener] = {}
        self._confirmed: dict[str, asyncio.Event] = {}
        self._pubsub: PubSub | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Bus"]:
        """Listens inside the block; ends what was spawned at its end."""
        self.spawn(self._keep_reading())
        try:
            yield self
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.redis.aclose()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs beside the reading; a failure is logged, for nobody waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def listen(self, channel: str, listener: Listener) -> None:
        """Returns when Redis has confirmed it: what is published from now on arrives."""
        self._listeners[channel] = listener
        confirmed = self._confirmed.setdefault(channel, asyncio.Event())
        if self._pubsub is not None:
            try:
                await self._pubsub.subscribe(channel)
            except AWAY:
                log.info("bus_subscription_waits", channel=channel)
        await confirmed.wait()

    async def unlisten(self, channel: str) -> None:
        self._listeners.pop(channel, None)
        self._confirmed.pop(channel, None)
        if self._pubsub is not None:
            try:
                await self._pubsub.unsubscribe(channel)
            except AWAY:
                log.info("bus_unsubscription_needless", channel=channel)

    async def publish(self, channel: str, message: Any) -> None:
        """Raises one of AWAY when Redis is not there."""
        await self.redis.publish(channel, messages.packed(message))

    async def _keep_reading(self) -> None:
        while True:
            try:
                await self._read()
            except AWAY as error:
                log.warning("bus_lost", reason=type(error).__name__)
            for event in self._confirmed.values():
                event.clear()
            await asyncio.sleep(PAUSE)

    async def _read(self) -> None:
        async with self.redis.pubsub() as pubsub:
            # One that listens to nothing can't be read.
            asked = set(self._listeners)
            await pubsub.subscribe(_KEPT_OPEN, *asked)
            self._pubsub = pubsub
            try:
                # Who came meanwhile found no connection to ask on.
                if missed := self._listeners.keys() - asked:
                    await pubsub.subscribe(*missed)
                async for item in pubsub.listen():
                    self._take(item["type"], item["channel"].decode(), item["data"])
            finally:
                self._pubsub = None

    def _take(self, kind: str, channel: str, data: bytes) -> None:
        if kind == "subscribe" and (confirmed := self._confirmed.get(channel)):
            confirmed.set()
        if kind == "message" and (listener := self._listeners.get(channel)):
            listener(messages.unpacked(data), data)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("bus_task_failed", exc_info=error)
