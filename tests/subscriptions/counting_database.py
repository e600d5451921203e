"""A database that counts what it is asked."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from resolvers.sql.database import Database, DatabaseError, DatabaseTransaction


class CountingDatabase:
    """`resolvers.sql.database.Database` before another one."""

    def __init__(self, behind: Database) -> None:
        self._behind = behind
        self.asked: list[str] = []
        # The connection is cut in the middle of the next statement of which this is true.
        self.cuts: Callable[[str], bool] = lambda _: False

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        self.asked.append(sql)
        if self.cuts(sql):
            self.cuts = lambda _: False
            raise DatabaseError("08006", "connection error")
        return await self._behind.fetch_json(sql, arguments)

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        return self._behind.transaction()
