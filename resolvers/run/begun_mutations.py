"""Mutations that have begun: none is cut in the middle because its sender hung up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from permissions.errors import GraphQLRefusal
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Database, DatabaseError, DatabaseTransaction

T = TypeVar("T")


class Beginning:
    """Whether a mutation has begun: it has with its first transaction, or its first turn for what is written by hand."""

    def __init__(self) -> None:
        self.has_begun = False

    @asynccontextmanager
    async def within(self, opening: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
        """`opening`, which waits for its turn before it is entered."""
        async with opening as entered:
            self.has_begun = True
            yield entered


class BeginningDatabase:
    """`Database` that notes the first transaction. What is only read may be left at any time."""

    def __init__(self, database: Database, beginning: Beginning) -> None:
        self._database, self._beginning = database, beginning

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        return await self._database.fetch_json(sql, arguments)

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        return self._beginning.within(self._database.transaction())


class BegunMutations:
    """Of an action half may be outside of any transaction (a room at the media server), so whatever has begun runs to its end.

    What still waits for its turn has not begun, and is dropped with its sender.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, mutation: Coroutine[Any, Any, T], has_begun: Callable[[], bool]) -> T:
        """Its outcome; when the waiting is cancelled, what has begun goes on by itself."""
        task = asyncio.create_task(mutation)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if has_begun():
                task.add_done_callback(_log_fault)
            else:
                task.cancel()
            raise

    async def stop(self) -> None:
        """The process ends, and has waited long enough: what still runs is rolled back, and the reconciler repairs the rest."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def _log_fault(task: asyncio.Task[Any]) -> None:
    """Nobody else hears of it: who sent it has gone."""
    error = None if task.cancelled() else task.exception()
    if error is None or isinstance(error, GraphQLRefusal) or (isinstance(error, DatabaseError) and refusal(error)):
        return
    unexpected(error)
