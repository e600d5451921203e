"""The live queries of a process: a statement again whenever one of its tables may have changed, sent only when the answer did."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

from domain.hub import Following
from permissions.errors import GraphQLRefusal
from resolvers.live.cohort import Cohort, Report, unreported
from resolvers.live.live_query import LiveQuery
from resolvers.live.offer import Offer
from resolvers.sql.database import SharedDatabase

# Hasura's refetch interval: what a foreign program writes is seen this late, and so is a write whose hint was lost.
LOOK_EVERY: Final = 1.0
# A table that changes all the time is read ten times a second.
AT_MOST_EVERY: Final = 0.1
# What takes long rests so many times as long: nobody keeps PostgreSQL busy with looking again.
REST: Final = 4.0


Follow = Callable[[Collection[str]], AbstractAsyncContextManager[Following]]
Key = tuple[str, tuple[str | None, ...]]


class LiveQueries:
    """The live queries of a process, `most` of one principal. `follow` gives hints on the topics `table:<name>`.

    `report` hears of each look that PostgreSQL newly refuses, whatever the number of those who are told.
    """

    def __init__(
        self,
        database: SharedDatabase,
        follow: Follow,
        *,
        look_every: float = LOOK_EVERY,
        most: int = 200,
        report: Report = unreported,
    ) -> None:
        self._database, self._follow, self._look_every, self._most, self._report = database, follow, look_every, most, report
        self._cohorts: dict[Key, Cohort] = {}
        self._open: Counter[str] = Counter()

    async def follow(self, live: LiveQuery) -> AsyncGenerator[Offer, None]:
        """The present answer, then each new one. A slow client gets the newest only.

        A refusal by PostgreSQL is an answer too, `{"errors": …}`: the statement is tried again, and may succeed once the data changed.
        One that takes too long ends with GraphQLRefusal, and so does one too many.
        """
        with self._counted(live.asker.principal):
            async with self._joined(live) as cohort:
                newest = partial(cohort.newest, live.asker)
                offer = Offer(await cohort.look([live.asker]), newest)
                while True:
                    yield offer
                    offer = Offer(await cohort.after(offer.mark, live.asker), newest)

    @contextmanager
    def _counted(self, principal: str) -> Iterator[None]:
        if self._open[principal] >= self._most:
            raise GraphQLRefusal("limit-exceeded", f"no more than {self._most} live queries at once; complete some")
        self._open[principal] += 1
        try:
            yield
        finally:
            self._open[principal] -= 1
            if not self._open[principal]:
                del self._open[principal]

    @asynccontextmanager
    async def _joined(self, live: LiveQuery) -> AsyncGenerator[Cohort, None]:
        key = (live.plan.sql, tuple(live.arguments))
        cohort = self._cohorts.get(key)
        if cohort is None or cohort.failure is not None:
            cohort = self._cohorts[key] = Cohort(live, self._database, self._report)
            cohort.start(self._keep_looking(cohort, live))
        cohort.followers[live.asker] += 1
        try:
            await cohort.listening()
            yield cohort
        finally:
            cohort.left(live.asker)
            if not cohort.followers:
                if self._cohorts.get(key) is cohort:
                    del self._cohorts[key]
                await cohort.stop()

    async def _keep_looking(self, cohort: Cohort, live: LiveQuery) -> None:
        async with self._follow([f"table:{table}" for table in sorted(live.tables)]) as following:
            cohort.listens.set()
            while True:
                await following.changed(self._look_every)
                await cohort.look_again()
                await asyncio.sleep(pause_after(cohort.took))


def pause_after(took: float) -> float:
    """Seconds until the next look may begin after one that took so many."""
    return max(AT_MOST_EVERY - took, REST * took)
