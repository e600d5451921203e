"""What every broker between processes has in common: it comes and goes, and whoever writes does not wait for it."""

import asyncio
from abc import abstractmethod
from typing import Final
from uuid import uuid4

import structlog
from broadcaster import BroadcastBackend, Event

from app.hints.waiting_topics import Topics
from app.pauses import pause_after

log = structlog.get_logger(__name__)

# Seconds until a broker that does not answer counts as lost.
TIMEOUT: Final = 2.0
PING_EVERY: Final = 5.0
_END_WITHIN: Final = 0.2


class SharedBackend(BroadcastBackend):
    """Topics that changed, each at most once in waiting: whoever reads is told that there is something, not what.

    One connection reads, under supervision: it comes back with a jittered backoff and then reports every topic as changed, since hints
    may have passed meanwhile. Publishing only notes the topic; a task of its own sends, over a connection of its own.
    """

    def __init__(self, name: str, broken: tuple[type[Exception], ...], batch: int) -> None:
        """`name` is the broker's in logs and metrics, `broken` what its client raises, `batch` how many topics are sent at once."""
        self.name, self._broken, self._batch = name, broken, batch
        # What this process publishes reaches its own readers without the broker; the echo is recognised by this.
        self._origin = uuid4().hex
        self._wanted: set[str] = set()
        self._changed, self._outbox = Topics(), Topics()
        self._failures = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether hints of other processes arrive at this moment."""

    @abstractmethod
    async def _read(self) -> None:
        """Connects, says `_arrived`, and takes hints until the connection breaks: then raises one of `broken`."""

    @abstractmethod
    async def _send(self, topics: list[str]) -> None:
        """Tells all processes; raises one of `broken`, and is called again with the same topics."""

    async def connect(self) -> None:
        """Starts both directions; an absent broker is waited for in the background."""
        self._tasks = [
            asyncio.create_task(self._keep_reading(), name="hints in"),
            asyncio.create_task(self._keep_sending(), name="hints out"),
        ]

    async def disconnect(self) -> None:
        await asyncio.gather(*(_end(task) for task in self._tasks))

    async def publish(self, channel: str, message: object) -> None:  # noqa: ARG002
        """Never waits for the broker, never fails."""
        if channel in self._wanted:
            self._changed.add(channel)
        self._outbox.add(channel)

    async def next_published(self) -> Event:
        (topic,) = await self._changed.take(1)
        return Event(topic, "")

    def _arrived(self) -> None:
        """The connection that reads is there."""
        log.log(20 if self._failures else 10, "broker_connected", broker=self.name, failures=self._failures)
        self._failures = 0

    async def _keep_reading(self) -> None:
        while True:
            try:
                await self._read()
            except self._broken as error:
                if not self._failures:
                    log.warning("broker_lost", broker=self.name, error=type(error).__name__)
                self._failures += 1
            await asyncio.sleep(pause_after(self._failures))

    async def _keep_sending(self) -> None:
        failures = 0
        while True:
            topics = await self._outbox.take(self._batch)
            try:
                await self._send(topics)
                failures = 0
            except self._broken:
                failures += 1
                for topic in topics:
                    self._outbox.add(topic)
                await asyncio.sleep(pause_after(failures))


async def _end(task: asyncio.Task[None]) -> None:
    """Cancelled until it has ended: redis-py waits with `asyncio.wait_for`, which up to Python 3.11 loses a cancellation that comes
    together with what it waits for."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_END_WITHIN)
