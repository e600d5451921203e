"""Redis (or Valkey) pub/sub as a backend of broadcaster that outlives the broker.

broadcaster's own ends for good with its connection, and with redis-py 8 never delivers to a process's first subscriber.
"""

import asyncio
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.hints.shared_backend import PING_EVERY, TIMEOUT, SharedBackend

PREFIX: Final = "nchat-rtc:"
ACKNOWLEDGED_WITHIN: Final = 1.0
BATCH: Final = 500
BROKEN: Final = (RedisError, OSError, TimeoutError)


class RedisBackend(SharedBackend):
    """A channel for each topic. After a break the reader subscribes again and reports a topic once Redis has acknowledged it."""

    def __init__(self, url: str, *, ping_every: float = PING_EVERY) -> None:
        super().__init__("redis", BROKEN, BATCH)
        self._ping_every = ping_every
        never = Retry(NoBackoff(), 0)
        self._publishing = Redis.from_url(url, protocol=2, retry=never, socket_connect_timeout=TIMEOUT, socket_timeout=TIMEOUT)
        # Without a timeout of its own redis-py writes a command at once, in the order of the calls.
        self._readers = Redis.from_url(url, protocol=2, retry=never, socket_timeout=None).connection_pool
        self._acknowledged: set[str] = set()
        self._waiting: dict[str, asyncio.Event] = {}
        self._reading: AbstractConnection | None = None

    @property
    def connected(self) -> bool:
        return self._reading is not None

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._publishing.aclose()

    async def subscribe(self, group: str) -> None:
        """Returns when the broker has said that hints on the topic arrive from now on, or when it is away."""
        self._wanted.add(group)
        if self._reading is None or group in self._acknowledged:
            return
        said = self._waiting.get(group)
        if said is None:
            said = self._waiting[group] = asyncio.Event()
            await self._command("SUBSCRIBE", group)
        with suppress(TimeoutError):
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN):
                await said.wait()

    async def unsubscribe(self, group: str) -> None:
        self._wanted.discard(group)
        self._acknowledged.discard(group)
        self._stop_waiting(group)
        await self._command("UNSUBSCRIBE", group)

    async def _command(self, name: str, *topics: str) -> None:
        """A broken connection is left to its reader, which subscribes to everything again."""
        connection = self._reading
        if connection is not None:
            with suppress(*BROKEN):
                await _send(connection, name, *(PREFIX + topic for topic in topics))

    async def _read(self) -> None:
        connection = self._readers.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(TIMEOUT):
                await connection.connect()
            self._arrived()
            await self._listen(connection)
        finally:
            self._lost()
            with suppress(*BROKEN):
                await connection.disconnect(nowait=True)

    async def _listen(self, connection: AbstractConnection) -> None:
        """Until the connection breaks, or does not answer a ping."""
        self._reading = connection
        if self._wanted:
            await self._command("SUBSCRIBE", *self._wanted)
        asked = False
        while True:
            reply = await connection.read_response(timeout=self._ping_every, disconnect_on_error=False)
            if reply is not None:
                self._take(reply)
            elif asked:
                raise TimeoutError
            else:
                await _send(connection, "PING")
            asked = reply is None

    def _take(self, reply: object) -> None:
        match reply:
            case [b"message", bytes() as channel, bytes() as origin] if origin != self._origin.encode():
                self._changed.add(_topic(channel))
            case [b"subscribe", bytes() as channel, _]:
                self._subscribed(_topic(channel))

    def _subscribed(self, topic: str) -> None:
        if topic not in self._wanted:
            return
        self._acknowledged.add(topic)
        if not self._stop_waiting(topic):
            # After a break, or too late for who waited: something may have passed unheard.
            self._changed.add(topic)

    def _stop_waiting(self, topic: str) -> bool:
        said = self._waiting.pop(topic, None)
        if said is not None:
            said.set()
        return said is not None

    def _lost(self) -> None:
        self._reading = None
        self._acknowledged.clear()
        for topic in list(self._waiting):
            self._stop_waiting(topic)

    async def _send(self, topics: list[str]) -> None:
        async with self._publishing.pipeline(transaction=False) as pipeline:
            for topic in topics:
                pipeline.publish(PREFIX + topic, self._origin)
            await pipeline.execute()


async def _send(connection: AbstractConnection, name: str, *arguments: str) -> None:
    """redis-py would open a broken connection again, behind the back of the task that reads it."""
    if not connection.is_connected:
        raise ConnectionError
    await connection.send_command(name, *arguments, check_health=False)


def _topic(channel: bytes) -> str:
    return channel.decode().removeprefix(PREFIX)
