"""Those who ask the same, and look together."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from contextvars import Context

from permissions.errors import RATE_LIMITED, GraphQLRefusal
from resolvers.live.live_query import LiveQuery
from resolvers.live.payload import KeptPayload, Payload
from resolvers.run.database_refusals import refusal
from resolvers.run.unexpected_errors import unexpected
from resolvers.sql.database import Asker, Database, DatabaseError, GaveWay, SharedDatabase, TookTooLong

# Hears of each new fault of a look, which those who follow are told of as their answer.
Report = Callable[[GraphQLRefusal], None]


def unreported(_refusal: GraphQLRefusal) -> None:
    """The default: nobody hears of it."""


class Cohort:
    """Everyone whose statement and arguments are the same: what one of them sees, all see."""

    def __init__(self, live: LiveQuery, database: SharedDatabase, report: Report = unreported) -> None:
        self._live, self._database, self._report = live, database, report
        self.followers: Counter[Asker] = Counter()
        self.listens = asyncio.Event()
        self.failure: BaseException | None = None
        # Seconds of the last look, without the time it waited for its turn.
        self.took = 0.0
        self._kept = KeptPayload()
        self._task: asyncio.Task[None] | None = None
        self._fault: tuple[str, str] | None = None
        self._begun = self._done = 0
        self._news: asyncio.Future[Payload | None] = asyncio.get_running_loop().create_future()

    async def look(self, askers: Collection[Asker]) -> Payload:
        """Runs the statement in the name of one of `askers`. The answer is at least as new as the beginning of this call.

        Raises GraphQLRefusal when it is not to be tried again.
        """
        while True:
            answer, number = await self._ask(askers)
            if number >= self._done:
                return answer
            if newer := self._kept.held():
                return newer

    async def look_again(self) -> None:
        """For all who follow; when it is not this cohort's turn now, they keep what they have. Raises GraphQLRefusal like `look`."""
        try:
            await self.look(list(self.followers))
        except GraphQLRefusal as refused:
            if not isinstance(refused.__cause__, GaveWay) and refused.code != RATE_LIMITED:
                raise

    async def _ask(self, askers: Collection[Asker]) -> tuple[Payload, int]:
        loop = asyncio.get_running_loop()
        try:
            async with self._database.look(askers) as database:
                began = loop.time()
                self._begun += 1
                number = self._begun
                body, fault = await self._body(database)
                self.took = loop.time() - began
        except (GaveWay, TookTooLong) as error:
            raise refusal(error) or unexpected(error) from error
        answer = Payload(body)
        if number > self._done:
            self._done, self._fault = number, fault
            self._tell(answer)
        return answer, number

    async def _body(self, database: Database) -> tuple[bytes, tuple[str, str] | None]:
        """The response, and what PostgreSQL refused."""
        try:
            return await database.fetch_json(self._live.plan.sql, self._live.arguments), None
        except (GaveWay, TookTooLong):
            raise
        except DatabaseError as error:
            fault = (error.sqlstate, error.message)
            if fault == self._fault and (same := self._kept.held()):
                # The same fault again is the same answer, though `unexpected` would give it a new id.
                return same.body, fault
            refused = refusal(error) or unexpected(error)
            self._report(refused)
            return refused.body(), fault

    def _tell(self, answer: Payload) -> None:
        if answer.mark != self._kept.mark:
            news, self._news = self._news, asyncio.get_running_loop().create_future()
            if not news.done():
                news.set_result(answer)
        self._kept.keep(answer)

    async def listening(self) -> None:
        """Returns when hints are heard: what is read from then on misses no change."""
        await self.listens.wait()
        self._raise()

    async def after(self, sent: bytes, asker: Asker) -> Payload:
        """The newest answer once its mark is another than `sent`; raises what ended the looking."""
        while self._kept.mark == sent:
            self._raise()
            # Shielded: many wait for it, and one of them may go.
            told = await asyncio.shield(self._news)
            if told is not None and told.mark == self._kept.mark:
                return told
        return await self.newest(asker)

    async def newest(self, asker: Asker) -> Payload:
        """What is kept, or a look; raises GraphQLRefusal like `look`."""
        return self._kept.held() or await self.look([asker])

    def left(self, asker: Asker) -> None:
        """One of the followers goes."""
        self.followers[asker] -= 1
        if not self.followers[asker]:
            del self.followers[asker]

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
        self.failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        self.listens.set()
        if not self._news.done():
            self._news.set_result(None)

    def _raise(self) -> None:
        match self.failure:
            case None:
                return
            case GraphQLRefusal() as refused:
                # Each follower's own: an exception remembers where it was raised.
                raise GraphQLRefusal(refused.code, refused.message, refused.path, **refused.extra) from refused.__cause__
            case failure:
                raise unexpected(failure)
