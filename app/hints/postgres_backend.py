"""PostgreSQL's LISTEN and NOTIFY as a backend of broadcaster, for several processes that have no Redis.

broadcaster's own has one connection for everything, which two who publish at once break and which never comes back.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import asyncpg

from app.hints.notifications import packed, unpacked
from app.hints.shared_backend import PING_EVERY, TIMEOUT, SharedBackend

CHANNEL: Final = "nchat_rtc_hints"
BATCH: Final = 2_000
# Seconds between two sendings: a lone hint goes at once, what comes with many is gathered. Each NOTIFY is a commit of its own.
GATHERED_FOR: Final = 0.02
BROKEN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

_NOTIFY: Final = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"


class PostgresBackend(SharedBackend):
    """One channel for all topics of the database, and two connections: one listens, one notifies.

    NOTIFY inside a writer's transaction would let all commits wait for each other; here it is a transaction of its own, after theirs.
    """

    def __init__(self, url: str, *, ping_every: float = PING_EVERY) -> None:
        super().__init__("postgres", BROKEN, BATCH)
        self._url, self._ping_every = url, ping_every
        self._listening = False
        self._notifying: asyncpg.Connection[Any] | None = None

    @property
    def connected(self) -> bool:
        return self._listening

    async def disconnect(self) -> None:
        await super().disconnect()
        if self._notifying is not None:
            self._notifying.terminate()

    async def subscribe(self, group: str) -> None:
        """The channel has every topic already: hints arrive from now on."""
        self._wanted.add(group)

    async def unsubscribe(self, group: str) -> None:
        self._wanted.discard(group)

    async def _read(self) -> None:
        connection = await self._open()
        try:
            closed = asyncio.Event()
            connection.add_termination_listener(lambda _: closed.set())
            async with asyncio.timeout(TIMEOUT):
                await connection.add_listener(CHANNEL, self._take)
            self._arrived()
            self._listening = True
            self._all_may_have_changed()
            await self._watch(connection, closed)
        finally:
            self._listening = False
            connection.terminate()

    def _all_may_have_changed(self) -> None:
        for topic in self._wanted:
            self._changed.add(topic)

    async def _watch(self, connection: "asyncpg.Connection[Any]", closed: asyncio.Event) -> None:
        """Raises one of `BROKEN` when the connection is closed, or does not answer."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._ping_every):
                    await closed.wait()
            # Raises when it is closed.
            await connection.execute("SELECT 1", timeout=TIMEOUT)

    def _take(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        origin, topics = unpacked(str(payload))
        if origin != self._origin:
            for topic in self._wanted.intersection(topics):
                self._changed.add(topic)

    async def _send(self, topics: list[str]) -> None:
        if self._notifying is None or self._notifying.is_closed():
            self._notifying = await self._open()
        try:
            await self._notifying.execute(_NOTIFY, CHANNEL, list(packed(self._origin, topics)), timeout=TIMEOUT)
        except BROKEN:
            self._notifying.terminate()
            raise
        await asyncio.sleep(GATHERED_FOR)

    async def _open(self) -> "asyncpg.Connection[Any]":
        # A hint that a crash of the server loses was told to nobody who survived it: no commit waits for the disk.
        settings = {"application_name": "nchat-rtc hints", "jit": "off", "synchronous_commit": "off"}
        return await asyncpg.connect(self._url, timeout=TIMEOUT, statement_cache_size=0, server_settings=settings)
