"""The live queries of a process: a statement again whenever one of its tables may have changed, sent only when the answer did."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context

import orjson

from domain.hub import Following
from resolvers.live.live_query import LiveQuery
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Database, DatabaseError

# Hasura's refetch interval: what a foreign program writes is seen this late, and so is a write whose hint was lost.
LOOK_EVERY = 1.0
# A table that changes all the time is read ten times a second.
AT_MOST_EVERY = 0.1
# Looking again must never take all connections from those who ask for the first time.
AT_ONCE = 4


Follow = Callable[[Collection[str]], AbstractAsyncContextManager[Following]]
Key = tuple[str, tuple[str | None, ...]]


class LiveQueries:
    """The live queries of a process. `follow` gives hints on the topics `table:<name>`."""

    def __init__(self, database: Database, follow: Follow, *, look_every: float = LOOK_EVERY) -> None:
        self._database, self._follow, self._look_every = database, follow, look_every
        self._cohorts: dict[Key, _Cohort] = {}
        self._looking = asyncio.Semaphore(AT_ONCE)

    async def follow(self, live: LiveQuery) -> AsyncGenerator[bytes, None]:
        """The present answer, then each new one. A slow client gets the newest only.

        A refusal by PostgreSQL is an answer too, `{"errors": …}`: the statement is tried again, and may succeed once the data changed.
        """
        async with self._joined(live) as cohort:
            await cohort.look()
            sent = None
            while True:
                if sent == cohort.answer:
                    await cohort.changed()
                else:
                    sent = cohort.answer
                    yield sent

    @asynccontextmanager
    async def _joined(self, live: LiveQuery) -> AsyncGenerator["_Cohort", None]:
        key = (live.plan.sql, tuple(live.arguments))
        cohort = self._cohorts.get(key)
        if cohort is None or cohort.failure is not None:
            cohort = self._cohorts[key] = _Cohort(live, self._database)
            cohort.start(self._keep_looking(cohort, live))
        cohort.followers += 1
        try:
            await cohort.listening()
            yield cohort
        finally:
            cohort.followers -= 1
            if not cohort.followers:
                if self._cohorts.get(key) is cohort:
                    del self._cohorts[key]
                await cohort.stop()

    async def _keep_looking(self, cohort: "_Cohort", live: LiveQuery) -> None:
        loop = asyncio.get_running_loop()
        async with self._follow([f"table:{table}" for table in sorted(live.tables)]) as following:
            cohort.listens.set()
            while True:
                await following.changed(self._look_every)
                async with self._looking:
                    began = loop.time()
                    await cohort.look()
                await asyncio.sleep(AT_MOST_EVERY - (loop.time() - began))


class _Cohort:
    """Everyone whose statement and arguments are the same: what one of them sees, all see."""

    def __init__(self, live: LiveQuery, database: Database) -> None:
        self._live, self._database = live, database
        self.answer = b""
        self.followers = 0
        self.listens = asyncio.Event()
        self.failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None
        self._fault: tuple[str, str] | None = None
        self._begun = self._done = 0
        self._news = asyncio.Event()

    async def look(self) -> None:
        """Runs the statement; afterwards `answer` is at least as new as the beginning of this call."""
        self._begun += 1
        mine = self._begun
        fault = None
        try:
            answer = await self._database.fetch_json(self._live.plan.sql, self._live.arguments)
        except DatabaseError as error:
            fault = (error.sqlstate, error.message)
            # The same fault again is the same answer, though `unexpected` would give it a new id.
            answer = self.answer if fault == self._fault else orjson.dumps((refusal(error) or unexpected(error)).answer())
        if mine > self._done:
            self._done, self._fault = mine, fault
            self._tell(answer)

    def _tell(self, answer: bytes) -> None:
        if answer != self.answer:
            self.answer = answer
            news, self._news = self._news, asyncio.Event()
            news.set()

    async def listening(self) -> None:
        """Returns when hints are heard: what is read from then on misses no change."""
        await self.listens.wait()
        self._raise()

    async def changed(self) -> None:
        """Returns when there is another answer; raises what ended the looking."""
        news = self._news
        await news.wait()
        self._raise()

    def start(self, looking: Coroutine[None, None, None]) -> None:
        # In nobody's name: whoever came first may be gone while others follow.
        self._task = asyncio.create_task(looking, name="live query", context=Context())
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody may wait for one that looks no more."""
        self.failure = None if task.cancelled() else task.exception()
        self.listens.set()
        self._news.set()

    def _raise(self) -> None:
        if self.failure is not None:
            raise unexpected(self.failure)
