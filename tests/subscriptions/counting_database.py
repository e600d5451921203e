"""A database that counts what it is asked."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from resolvers.sql.database import Database, DatabaseTransaction


class CountingDatabase:
    """`resolvers.sql.database.Database` before another one."""

    def __init__(self, behind: Database) -> None:
        self._behind = behind
        self.asked: list[str] = []

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        self.asked.append(sql)
        return await self._behind.fetch_json(sql, arguments)

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        return self._behind.transaction()
