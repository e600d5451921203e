"""A database without shares: everybody has all of it."""

from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from resolvers.sql.database import Asker, Database, LookDatabase


class Unshared:
    """`resolvers.sql.database.SharedDatabase` that gives everybody the same database."""

    def __init__(self, database: LookDatabase) -> None:
        self._database = database

    def request(self, _asker: Asker) -> Database:
        return self._database

    def act(self, _asker: Asker) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    @asynccontextmanager
    async def look(self, _askers: Collection[Asker]) -> AsyncIterator[LookDatabase]:
        yield self._database
