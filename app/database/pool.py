"""PostgreSQL for the engine: an asyncpg pool whose answers stay the bytes that PostgreSQL wrote.

Behind pgbouncer in transaction mode pass `pgbouncer=True`: no prepared statements and no start-up parameters then. LISTEN
(the job queue) never works through it and needs a direct address.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog

from app.database.closing import close_pool
from app.database.errors import CONNECTION_LOST, as_database_error
from app.database.warm_connections import WarmConnections
from domain.ports import Hint, Publisher
from permissions.session import Session
from resolvers.sql.database import QUERY_CANCELED, DatabaseError
from schema.model import TableName

log = structlog.get_logger(__name__)

# Of so many statements on each connection PostgreSQL keeps the plan, and we the text: both together are some twenty times the text.
# What is longer is planned each time; that takes a part of what it takes to run.
STATEMENTS_PER_CONNECTION = 512
MAX_STATEMENT_BYTES = 32 * 1024
# A server that takes a connection and says nothing is frozen: a start that waits for it would hear no signal.
CONNECT_TIMEOUT = 5.0
# Beyond PostgreSQL's own limit, for one that does not answer at all.
SILENCE = 5.0
# What the service itself asks.
STATEMENT_TIMEOUT = 30.0
IDLE_TIMEOUT = 15
NO_VARIABLES: Mapping[str, str] = {}
READ_RETRY_STATES = frozenset({"0A000", "26000"}) | CONNECTION_LOST

# Rows that do not fit into the memory of a statement go to a temporary file, some 250 KB here, on the disk of the tables. Unlike a
# row or a table that leaves nothing behind, and neither a replica nor missing rights forbid it.
_SPILL = "SET LOCAL work_mem = '64kB'; SELECT count(*) FROM generate_series(1, 20000)"
# Nothing, in the simple protocol: whatever PostgreSQL was in the middle of is over then. (asyncpg takes no empty statement.)
_IN_STEP = "SELECT"
_SET_SESSION = "SELECT set_config('hasura.user', $1::text, true)"


class PlainConnection(asyncpg.Connection):
    """Released without a round trip: nothing outlives a transaction here but the time limit of statements, which is always set."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._seconds: float | None = None
        self._was_interrupted = False

    def was_interrupted(self) -> None:
        """What runs on it did not come to its end. Where it was given up between being planned and being run, asyncpg has sent no Sync
        yet: PostgreSQL then waits inside a transaction, and the time limit runs on, to end the statement of whoever comes next."""
        self._was_interrupted = True

    def get_reset_query(self) -> str:
        interrupted, self._was_interrupted = self._was_interrupted, False
        return _IN_STEP if interrupted else ""

    async def limit_statements(self, seconds: float) -> None:
        """PostgreSQL ends what takes longer. A round trip only when the statement before had another limit."""
        if seconds != self._seconds:
            self._seconds = None
            await self.execute(f"SET statement_timeout = {int(seconds * 1000)}")
            self._seconds = seconds


class PoolDatabase:
    """`resolvers.sql.database.Database` over asyncpg. Statements have text parameters and one row with one json column."""

    def __init__(self, connections: WarmConnections, publisher: Publisher, *, pgbouncer: bool = False) -> None:
        self._connections, self._publisher, self._pgbouncer = connections, publisher, pgbouncer

    async def fetch_json(self, sql: str, arguments: Sequence[str | None], *, seconds: float = STATEMENT_TIMEOUT) -> bytes:
        """One read in its own implicit transaction, of at most `seconds`; raises DatabaseError."""
        return _single(await self.fetch_rows(sql, arguments, seconds=seconds))

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None], *, seconds: float = STATEMENT_TIMEOUT) -> Sequence[Sequence[Any]]:
        """The rows of one read; raises DatabaseError.

        Asked again once when the schema changed under a prepared statement or the connection was gone before.
        """
        try:
            return await self._fetch(sql, arguments, seconds)
        except DatabaseError as error:
            if error.sqlstate not in READ_RETRY_STATES:
                raise
            log.info("read_repeated", sqlstate=error.sqlstate)
            if error.sqlstate in CONNECTION_LOST:
                # One connection lost means most likely all of them: the server went away or another one took over.
                await self._connections.expire()
        return await self._fetch(sql, arguments, seconds)

    async def _fetch(self, sql: str, arguments: Sequence[str | None], seconds: float) -> Sequence[Sequence[Any]]:
        with as_database_error(sql):
            async with self._connections.acquire() as connection:
                await self._limit(connection, seconds)
                # Not fetchval: a row limit keeps PostgreSQL from using parallel plans.
                rows: Sequence[Sequence[Any]] = await connection.fetch(sql, *arguments, timeout=seconds + SILENCE)
                return rows

    async def _limit(self, connection: Any, seconds: float) -> None:
        # Behind pgbouncer the next statement of this connection may be another client's.
        if not self._pgbouncer:
            await connection.limit_statements(seconds)

    @asynccontextmanager
    async def transaction(self, *, seconds: float = STATEMENT_TIMEOUT) -> AsyncIterator["PoolTransaction"]:
        """All or nothing; the tables it wrote are announced after the commit. Raises DatabaseError, also for the commit."""
        async with self.unannounced(seconds=seconds) as transaction:
            yield transaction
        await self.announce(transaction)

    async def announce(self, transaction: "PoolTransaction") -> None:
        """Who looks at the tables that it wrote looks again."""
        if transaction.written:
            await self._publisher.publish([Hint(f"table:{table}") for table in sorted(transaction.written)])

    @asynccontextmanager
    async def unannounced(self, *, seconds: float) -> AsyncIterator["PoolTransaction"]:
        """Without telling anybody, for whoever announces it outside of what the transaction holds."""
        with as_database_error():
            async with self._connections.acquire() as connection:
                await self._limit(connection, seconds)
                transaction = connection.transaction()
                await transaction.start()
                wrapped = PoolTransaction(connection, seconds)
                try:
                    yield wrapped
                except BaseException:
                    await transaction.rollback()
                    raise
                await transaction.commit()

    async def ping(self) -> None:
        """Raises DatabaseError unless the server answers."""
        with as_database_error():
            async with self._connections.acquire() as connection:
                await connection.fetch("SELECT 1")

    async def check_disk(self) -> None:
        """Raises DatabaseError unless the server can write to its disk."""
        with as_database_error():
            async with self._connections.acquire() as connection:
                await connection.execute(_SPILL)

    def connections(self) -> tuple[int, int]:
        """How many connections are open, and how many of them are idle."""
        return self._connections.size()


class PoolTransaction:
    """One connection inside a transaction (`resolvers.sql.database.DatabaseTransaction`)."""

    def __init__(self, connection: Any, seconds: float) -> None:
        self._connection, self._limit = connection, seconds
        self._until = time.monotonic() + seconds
        self.written: set[str] = set()

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        with as_database_error(sql):
            left = await self._left()
            return _single(await self._connection.fetch(sql, *arguments, timeout=left + SILENCE))

    async def _left(self) -> float:
        """The seconds for all that is still to come. PostgreSQL hears of them once a tenth is gone: short ones pay no round trip."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise DatabaseError(QUERY_CANCELED, "the time of the transaction is over")
        if left < 0.9 * self._limit:
            await self._connection.execute(f"SET LOCAL statement_timeout = {max(1, int(left * 1000))}")
            self._limit = left
        return left

    async def set_session(self, session: Session) -> None:
        with as_database_error():
            await self._connection.fetch(_SET_SESSION, session.as_json())

    def wrote(self, table: TableName) -> None:
        self.written.add(str(table))


def _single(rows: Sequence[Any]) -> bytes:
    value = rows[0][0]
    return value if isinstance(value, bytes) else b"null"


@asynccontextmanager
async def open_pool(
    url: str, *, max_size: int = 16, pgbouncer: bool = False, variables: Mapping[str, str] = NO_VARIABLES
) -> AsyncIterator[WarmConnections]:
    """The connections of a pool for `postgresql://…`, closed at the end; raises OSError or asyncpg's errors when nobody answers there.

    `variables` are settings of each connection, for triggers to read.
    """
    pool = await asyncpg.create_pool(
        url,
        min_size=min(4, max_size),
        max_size=max_size,
        init=_keep_json_as_bytes,
        connection_class=PlainConnection,
        timeout=CONNECT_TIMEOUT,
        command_timeout=STATEMENT_TIMEOUT,
        max_inactive_connection_lifetime=300.0,
        statement_cache_size=0 if pgbouncer else STATEMENTS_PER_CONNECTION,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=MAX_STATEMENT_BYTES,
        server_settings=None if pgbouncer else {**server_settings("nchat-rtc graphql"), **variables},
    )
    connections = WarmConnections(pool)
    try:
        yield connections
    finally:
        await close_pool(pool, connections.close())


def server_settings(application: str) -> dict[str, str]:
    """Settings of each connection.

    Compiling a plan to machine code costs more than these short statements run. No transaction of ours waits for anything but
    PostgreSQL: one that does nothing belongs to a process that is frozen or cut off, and must not keep its locks.
    """
    return {"application_name": application, "jit": "off", "idle_in_transaction_session_timeout": f"{IDLE_TIMEOUT}s"}


async def _keep_json_as_bytes(connection: Any) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
    # The binary form of jsonb starts with its version byte.
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=lambda json: b"\x01" + json, decoder=_after_version, format="binary"
    )


def _after_version(data: bytes) -> bytes:
    return bytes(data[1:])
