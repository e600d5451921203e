"""Transactions for the domain: SQLAlchemy connections whose hints go out after the commit."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4
from weakref import WeakSet

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.database.closing import close_engine
from app.database.dialect import DRIVERNAME
from app.database.errors import as_database_error
from app.database.pool import CONNECT_TIMEOUT, NO_VARIABLES, STATEMENT_TIMEOUT, server_settings
from app.telemetry.moments import Observe, unobserved
from domain.ports import Publisher
from domain.world import Transaction


class EngineTransactions:
    """`domain.world.Transactions`. `observe` hears `name:before_commit` and `name:after_commit`: a test can end the process there.

    What PostgreSQL refuses, and that it is away, leaves a transaction as DatabaseError.
    """

    def __init__(self, engine: AsyncEngine, publisher: Publisher, observe: Observe = unobserved) -> None:
        self._engine, self._publisher, self._observe = engine, publisher, observe

    def __call__(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        return self._open(name)

    @asynccontextmanager
    async def _open(self, name: str) -> AsyncIterator[Transaction]:
        with as_database_error():
            async with self._engine.connect() as connection:
                transaction = Transaction(connection)
                async with connection.begin():
                    yield transaction
                    await transaction.write_down()
                    self._observe(f"{name}:before_commit")
        self._observe(f"{name}:after_commit")
        if transaction.hints:
            await self._publisher.publish(list(dict.fromkeys(transaction.hints)))


def connections(engine: AsyncEngine) -> tuple[int, int]:
    """How many connections of an engine are open, and how many of them are idle."""
    pool = engine.pool
    assert isinstance(pool, sa.QueuePool)  # noqa: S101 - for the type: only this one has numbers, and `open_engine` makes no other
    return pool.checkedin() + pool.checkedout(), pool.checkedin()


@asynccontextmanager
async def open_engine(
    url: str, *, pool_size: int = 10, pgbouncer: bool = False, variables: Mapping[str, str] = NO_VARIABLES
) -> AsyncIterator[AsyncEngine]:
    """An engine for `postgresql://…` in asyncpg's own form, disposed of at the end; `variables` as in `open_pool`."""

    async def connect(**_arguments: object) -> "asyncpg.Connection":
        # asyncpg reads the address itself: SQLAlchemy's dialect doesn't know its `sslmode` and the like.
        connection = await asyncpg.connect(
            url, statement_cache_size=0, server_settings=settings, timeout=CONNECT_TIMEOUT, command_timeout=STATEMENT_TIMEOUT
        )
        opened.add(connection)
        return connection

    opened: WeakSet[asyncpg.Connection] = WeakSet()
    settings = None if pgbouncer else {**server_settings("nchat-rtc domain"), **variables}
    arguments: dict[str, object] = {"async_creator_fn": connect}
    if pgbouncer:
        # A server connection may belong to another client before: no name may be used twice, none may be relied on.
        arguments |= {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: f"nchat_{uuid4().hex}"}
    engine = create_async_engine(
        f"{DRIVERNAME}://",
        connect_args=arguments,
        pool_size=pool_size,
        max_overflow=pool_size,
        # A connection that was lost is replaced before anybody's transaction begins on it: writes are never tried twice.
        pool_pre_ping=True,
        # A traceback shows the statement, never its values.
        hide_parameters=True,
    )
    try:
        yield engine
    finally:
        await close_engine(engine.dispose(), opened)
