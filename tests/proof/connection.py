"""One connection as the engine's database: what a test has begun around it is rolled back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from permissions.session import Session
from resolvers.sql.database import DatabaseError, DatabaseTransaction
from schema.model import TableName


class OneConnection:
    """`resolvers.sql.database.LookDatabase`; transactions are savepoints."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        try:
            answer: str = await self._connection.fetchval(sql, *arguments)
        except asyncpg.PostgresError as error:
            raise DatabaseError(error.sqlstate, str(error)) from error
        return answer.encode()

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        return [tuple(row) for row in await self._connection.fetch(sql, *arguments)]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[DatabaseTransaction]:
        async with self._connection.transaction():
            yield self

    async def set_session(self, _session: Session) -> None:
        return None

    def wrote(self, _table: TableName) -> None:
        return None
