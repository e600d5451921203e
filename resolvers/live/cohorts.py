"""The live queries and streams of a process: asked again whenever one of their tables may have changed, sent only what is new."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

from domain.hub import AskAnew, Following
from permissions.errors import GraphQLRefusal
from resolvers.live.cohort import Cohort
from resolvers.live.faults import Report, unreported
from resolvers.live.live_query import LiveQuery, Values
from resolvers.live.offer import Offer, Told
from resolvers.live.patches import Deltas, Patches
from resolvers.sql.database import SharedDatabase

# Hasura's refetch interval: what a foreign program writes is seen this late, and so is a write whose hint was lost.
LOOK_EVERY: Final = 1.0

Follow = Callable[[Collection[str]], AbstractAsyncContextManager[Following]]
Key = tuple[str, Values]


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
        self._patches = Patches()
        # How often all have begun anew.
        self.begun_anew = 0

    async def follow(self, live: LiveQuery, *, delta: bool = False) -> AsyncGenerator[Offer, None]:
        """The present answer, then each new one: a slow client gets the newest only. Of a stream each batch of rows, and all of them.

        A refusal by PostgreSQL is an answer too, `{"errors": …}`: the statement is tried again, and may succeed once the data changed.
        One that takes too long ends with GraphQLRefusal, and so does one too many; all end with AskAnew when they are to begin anew. With
        `delta` what changed is told in place of answers.
        """
        with self._counted(live.asker.principal):
            async with self._joined(live) as cohort, aclosing(self._offers(cohort, live, delta)) as offers:
                async for offer in offers:
                    yield offer

    def begin_anew(self) -> None:
        """All that is followed follows from other rules now: whoever follows gets AskAnew."""
        self.begun_anew += 1
        for cohort in list(self._cohorts.values()):
            cohort.end(AskAnew())

    def _offers(self, cohort: Cohort, live: LiveQuery, delta: bool) -> AsyncGenerator[Offer, None]:
        if live.plan.stream is not None:
            return _batches(cohort, live)
        return _answers(cohort, live, Deltas(self._patches, live.asker.principal).body if delta else None)

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
        key = (live.plan.sql, live.shared)
        cohort = self._cohorts.get(key)
        if cohort is None or cohort.is_over:
            cohort = self._cohorts[key] = Cohort(live, self._database, self._report)
            cohort.start(self._keep_looking(cohort, live))
        cohort.members += 1
        try:
            await cohort.listening()
            yield cohort
        finally:
            cohort.members -= 1
            if not cohort.members:
                if self._cohorts.get(key) is cohort:
                    del self._cohorts[key]
                await cohort.stop()

    async def _keep_looking(self, cohort: Cohort, live: LiveQuery) -> None:
        async with self._follow([f"table:{table}" for table in sorted(live.tables)]) as following:
            await cohort.keep_looking(partial(following.changed, self._look_every))


async def _answers(cohort: Cohort, live: LiveQuery, told: Told | None) -> AsyncGenerator[Offer, None]:
    with cohort.joined(live) as audience:
        newest = partial(audience.newest, live.asker)
        offer = Offer(await audience.look(live.asker), newest, told)
        while True:
            yield offer
            offer = Offer(await audience.after(offer.mark, live.asker), newest, told)


async def _batches(cohort: Cohort, live: LiveQuery) -> AsyncGenerator[Offer, None]:
    with cohort.reading(live) as reader:
        try:
            async with aclosing(reader.batches()) as payloads:
                async for payload in payloads:
                    yield Offer(payload)
        except AskAnew:
            raise AskAnew(reader.reached) from None
