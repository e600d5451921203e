"""One who follows a stream: a cursor, and never a queue."""

from collections.abc import AsyncGenerator, Callable

from domain.errors import HistoryChanged
from permissions.errors import GraphQLRefusal
from resolvers.live.announcements import Announcements
from resolvers.live.faults import Fault, Faults
from resolvers.live.live_query import LiveQuery
from resolvers.live.looks import Looks, has_no_turn
from resolvers.live.payload import Payload
from resolvers.live.stream_progress import StreamProgress
from resolvers.sql.database import DatabaseError
from resolvers.sql.live_plan import as_json


class Reader:
    """`resolvers.live.member.Member` that goes on from row to row. `rounds` counts the looks of its cohort that have begun."""

    def __init__(self, live: LiveQuery, looks: Looks, faults: Faults, rounds: Callable[[], int]) -> None:
        if live.plan.stream is None:
            raise TypeError("no stream")
        self._progress = StreamProgress(live.plan.stream, live.since, live.reached)
        self._own, self._looks, self._faults, self._rounds = live.own, looks, faults, rounds
        self.own = as_json((*self._progress.values, *live.own))
        self.askers = [live.asker]
        self.took, self.size, self.alone, self.waits = 0.0, 0, False, False
        self.rests_until = 0.0
        self._looked_in, self._more = -1, True
        self._epoch: str | None = None
        self._fault: Fault | None = None
        self._found: tuple[Payload, bytes | None] | None = None
        self._news: Announcements[bool] = Announcements()

    @property
    def reached(self) -> tuple[str | None, ...]:
        """How far it has come, for one that goes on from there."""
        return self._progress.values

    def begin(self) -> int:
        """What changes from now on may not be in it."""
        self._looked_in = self._rounds()
        return 0

    def answer(self, _number: int, body: bytes, progress: bytes | None = None, epoch: str | None = None) -> None:
        """Nothing is told when there are no rows. In another history it would wait for what was there before, and it ends."""
        self.alone, self.size, self._fault = False, len(body), None
        if epoch != (self._epoch or epoch):
            self.end(GraphQLRefusal(HistoryChanged.code, HistoryChanged().sentence))
            return
        self._epoch = epoch
        if progress is not None:
            self._find(Payload(body), progress)

    def refuse(self, _number: int, error: DatabaseError) -> None:
        """Told once; what was not read will be read when it can."""
        fault, self.alone = self._faults.of(error), True
        if fault is not self._fault:
            self._fault = fault
            self._find(Payload(fault.body), None)

    def end(self, refused: BaseException) -> None:
        """Ends the stream."""
        self._news.end(refused)

    def _find(self, payload: Payload, progress: bytes | None) -> None:
        self._found, self.waits = (payload, progress), False
        self._news.tell(True)

    async def batches(self) -> AsyncGenerator[Payload, None]:
        """Each batch, asked for when the one before was taken. Raises GraphQLRefusal like `Looks.one`, and what ended the cohort."""
        while True:
            payload, progress = await self._next()
            yield payload
            del payload
            self._more = progress is not None and self._progress.go_on(progress)
            self.own = as_json((*self._progress.values, *self._own))

    async def _next(self) -> tuple[Payload, bytes | None]:
        self._news.check()
        while self._found is None:
            if not (self._more or self._looked_in < self._rounds()) or not await self._look():
                await self._wait()
        found, self._found = self._found, None
        return found

    async def _look(self) -> bool:
        """Whether it had its turn; one that has read before waits for the next round in place of ending."""
        is_first, self._more = self._looked_in < 0, False
        try:
            await self._looks.one(self, self.askers)
        except GraphQLRefusal as refused:
            if is_first or not has_no_turn(refused):
                raise
            return False
        return True

    async def _wait(self) -> None:
        """For a round that finds something."""
        self.waits = True
        try:
            await self._news.next()
        finally:
            self.waits = False
