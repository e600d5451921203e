"""Those who ask the same, each with a session of their own, and look together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from typing import Final

from resolvers.live.announcements import Announcements
from resolvers.live.audience import Audience
from resolvers.live.faults import Faults, Report
from resolvers.live.live_query import LiveQuery
from resolvers.live.looks import Looks
from resolvers.live.member import SECONDS
from resolvers.live.reader import Reader
from resolvers.sql.database import SharedDatabase
from resolvers.sql.live_plan import as_json

# A table that changes all the time is read ten times a second.
AT_MOST_EVERY: Final = 0.1
# What takes long rests so many times as long: nobody keeps PostgreSQL busy with looking again.
REST: Final = 4.0
# Seconds, for statements none of which took long.
LONGEST_REST: Final = 1.0

Waiting = Audience | Reader


class Cohort:
    """Everyone whose statement and arguments are the same but for what their sessions bring."""

    def __init__(self, live: LiveQuery, database: SharedDatabase, report: Report) -> None:
        # Operations that follow it.
        self.members = 0
        self._looks, self._faults = Looks(live.plan, live.shared, database), Faults(report)
        self._audiences: dict[bytes, Audience] = {}
        self._readers: set[Reader] = set()
        # Those that have begun.
        self._rounds = 0
        self._listens = asyncio.Event()
        self._news: Announcements[None] = Announcements()
        self._slow: dict[Waiting, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it looks no more."""
        return self._news.is_over

    @contextmanager
    def joined(self, live: LiveQuery) -> Iterator[Audience]:
        """The audience of this session, with one follower more."""
        own = as_json(live.own)
        audience = self._audiences.get(own)
        if audience is None or audience.is_over:
            audience = self._audiences[own] = Audience(own, self._looks, self._faults)
        audience.followers[live.asker] += 1
        try:
            yield audience
        finally:
            audience.left(live.asker)
            if not audience.followers and self._audiences.get(own) is audience:
                del self._audiences[own]

    @contextmanager
    def reading(self, live: LiveQuery) -> Iterator[Reader]:
        """One more who follows the stream."""
        reader = Reader(live, self._looks, self._faults, lambda: self._rounds)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    async def listening(self) -> None:
        """Returns when hints are heard: what is read from then on misses no change. Raises what ended the cohort."""
        await self._listens.wait()
        self._news.check()

    async def keep_looking(self, changed: Callable[[], Awaitable[object]]) -> None:
        """A round whenever something may have `changed`."""
        self._listens.set()
        while True:
            await changed()
            took = await self._round()
            await asyncio.sleep(pause_after(took))

    async def _round(self) -> list[float]:
        self._rounds += 1
        now = asyncio.get_running_loop().time()
        waiting = [one for one in self._everyone() if one.waits and one.rests_until <= now and one not in self._slow]
        for one in waiting:
            if one.took > SECONDS:
                self._slow[one] = asyncio.create_task(self._apart(one), name="slow live query")
        return await self._looks.all(one for one in waiting if one not in self._slow)

    async def _apart(self, slow: Waiting) -> None:
        """Nobody waits for one that takes long by itself."""
        try:
            await self._looks.all([slow])
        except BaseException as failure:
            slow.end(failure)
            raise
        finally:
            slow.rests_until = asyncio.get_running_loop().time() + pause_after([slow.took])
            del self._slow[slow]

    def _everyone(self) -> Iterable[Waiting]:
        return [*self._audiences.values(), *self._readers]

    def start(self, looking: Coroutine[None, None, None]) -> None:
        """Begins to look."""
        # In nobody's name: whoever came first may be gone while others follow.
        self._task = asyncio.create_task(looking, name="live query", context=Context())
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Returns when nothing of it runs any more."""
        tasks = [task for task in (self._task, *self._slow.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def end(self, failure: BaseException) -> None:
        """Nobody may wait for it any more."""
        self._news.end(failure)
        self._listens.set()
        for one in self._everyone():
            one.end(failure)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """One that looks no more."""
        self.end((asyncio.CancelledError() if task.cancelled() else task.exception()) or RuntimeError("a cohort ended by itself"))


def pause_after(took: Sequence[float]) -> float:
    """Seconds until the next round may begin after one whose statements took so many. Being many is no reason to rest for long."""
    longest, together = max(took, default=0.0), sum(took)
    return max(AT_MOST_EVERY - longest, min(REST * together, max(REST * longest, LONGEST_REST)))
