"""A process takes orders of its operator, and answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import asyncpg
import structlog

from app.pauses import pause_after
from app.sockets.open_sockets import OpenSocket, OpenSockets, SocketFacts
from app.sockets.orders import BROKEN, CHANNEL, ORDER_OF, TIMEOUT, connect, connection_name, order_in

log = structlog.get_logger(__name__)

PING_EVERY: Final = 5.0
# Orders that wait for their turn. More are given up by whoever gave them.
WAITING: Final = 64
# Seconds between two lines of the log on those who may notify and give no order.
QUIET_FOR: Final = 60.0
# So many end in one turn of the event loop.
CLOSED_AT_ONCE: Final = 50
# PostgreSQL refuses a payload of 8,000 bytes. One socket takes less than half of one, of what others have chosen only so many characters.
PART_BYTES: Final = 4_000
LONGEST: Final = 100
# PostgreSQL notices within a minute that a machine is gone, and with it its processes.
_KEEPALIVES: Final = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
_NAME_IT: Final = "SELECT set_config('application_name', $1, false)"
_ANSWER: Final = "SELECT pg_notify($1, part) FROM unnest($2::text[]) AS part"

Connection = asyncpg.Connection


@asynccontextmanager
async def open_sockets(database_url: str) -> AsyncIterator[OpenSockets]:
    """The register of this process; until the block ends its operator can ask for it, also after PostgreSQL was away."""
    sockets = OpenSockets()
    answering = asyncio.create_task(Answering(database_url, sockets).keep(), name="orders")
    try:
        yield sockets
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)


class Answering:
    """One connection of its own, which listens and answers; one order after the other."""

    def __init__(self, url: str, sockets: OpenSockets) -> None:
        self._url, self._sockets = url, sockets
        self._failures = 0
        # When it was last told that in some session no order stood.
        self._told_at = -QUIET_FOR

    async def keep(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._take_orders()
            except BROKEN as error:
                if not self._failures:
                    log.warning("orders_unheard", error=type(error).__name__)
                self._failures += 1
            except Exception:  # a fault of ours must not make the process deaf for ever
                log.error("orders_failed", exc_info=True)
                self._failures += 1
            await asyncio.sleep(pause_after(self._failures))

    async def _take_orders(self) -> None:
        """Until the connection breaks."""
        connection = await connect(self._url, _KEEPALIVES)
        try:
            given = GivenOrders()
            connection.add_termination_listener(lambda _: given.add(None))
            async with asyncio.timeout(TIMEOUT):
                await connection.add_listener(CHANNEL, lambda _, session, *_rest: given.add(session))
                # Not before it listens: whoever is known by this name has heard of what is ordered from now on.
                await connection.execute(_NAME_IT, connection_name())
            self._failures = 0
            while True:
                await self._obey(connection, await given.next())
        finally:
            connection.terminate()

    async def _obey(self, connection: "Connection[Any]", session: int | None) -> None:
        if session is None:
            # Raises when it is closed, or nobody answers.
            await connection.execute("SELECT 1", timeout=TIMEOUT)
            return
        order = order_in(await connection.fetchval(ORDER_OF, session, timeout=TIMEOUT))
        if order is None:
            now = asyncio.get_running_loop().time()
            if now - self._told_at >= QUIET_FOR:
                self._told_at = now
                log.warning("order_not_read", session=session)
            return
        number = 0
        for some in self._sockets.of(order.user):
            number += len(some)
            if order.deed == "close":
                await _close(some)
            else:
                await connection.execute(_ANSWER, order.answers, list(_parts(some)), timeout=TIMEOUT)
        await connection.execute(_ANSWER, order.answers, [_part([], number)], timeout=TIMEOUT)
        log.info("order_done", deed=order.deed, user=order.user, sockets=number)


async def _close(sockets: Sequence[OpenSocket]) -> None:
    for number, socket in enumerate(sockets, 1):
        socket.end()
        if number % CLOSED_AT_ONCE == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)


def _parts(sockets: Sequence[OpenSocket]) -> Iterator[str]:
    """As few payloads as hold them all."""
    rows, size = list[str](), 0
    for socket in sockets:
        row = _row(socket.facts)
        if size + len(row) > PART_BYTES:
            yield _part(rows)
            rows, size = [], 0
        rows.append(row)
        size += len(row)
    if rows:
        yield _part(rows)


def _row(facts: SocketFacts) -> str:
    """In ASCII, which every encoding of a database has."""
    return json.dumps([value[:LONGEST] if isinstance(value, str) else value for value in facts])


def _part(rows: Sequence[str], number: int | None = None) -> str:
    """With the number it is the last one."""
    return f'{{"sockets": [{", ".join(rows)}], "done": {json.dumps(number)}}}'


class GivenOrders:
    """The sessions in which an order may stand. Whoever notifies without end has one place, as everybody has."""

    def __init__(self) -> None:
        self._sessions: dict[int | None, None] = {}
        self._some = asyncio.Event()

    def add(self, session: int | None) -> None:
        """None: the connection has ended."""
        if len(self._sessions) < WAITING:
            self._sessions[session] = None
            self._some.set()

    async def next(self) -> int | None:
        """The first of them; None also when it is time to see whether the connection holds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_EVERY):
                await self._some.wait()
        session = next(iter(self._sessions), None)
        self._sessions.pop(session, None)
        if not self._sessions:
            self._some.clear()
        return session
