"""Questions to the database about who may enter, many in one statement, none answered from memory."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from domain.admission import Entrance, admitted
from domain.world import Transactions
from resolvers.sql.database import DatabaseError

Look = Callable[[Collection[Entrance]], Awaitable[frozenset[Entrance]]]

# Entrances in one statement; the rest waits for the next.
BATCH: Final = 500
# Seconds; a client whose connection is refused tries again by itself.
LOOK_WITHIN: Final = 2.0


class Unanswered(Exception):
    """The database did not say who may enter."""


class Admissions:
    """Whoever asks while a statement runs goes into the next one: a thousand reconnects at once are a few statements on one connection.

    Each answer is read after it was asked for, so a kick that is committed is never overlooked.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._waiting: dict[Entrance, asyncio.Future[bool]] = {}
        self._looking: asyncio.Task[None] | None = None

    @classmethod
    def of(cls, transaction: Transactions) -> "Admissions":
        """Those of the product's calls. Whose connections are behind `transaction` decides whom the door waits for."""

        async def look(asking: Collection[Entrance]) -> frozenset[Entrance]:
            async with transaction("admission") as tx:
                return await admitted(tx, asking)

        return cls(look)

    async def may_enter(self, entrance: Entrance) -> bool:
        """Whether this person may be in this room now. Raises Unanswered."""
        answer = self._waiting.get(entrance)
        if answer is None:
            answer = self._waiting[entrance] = asyncio.get_running_loop().create_future()
            # Of those who asked, some may be gone before the answer comes.
            answer.add_done_callback(_seen)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_while_asked(), name="admissions")
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                return await asyncio.shield(answer)
        except TimeoutError:
            raise Unanswered("timeout") from None

    async def _look_while_asked(self) -> None:
        try:
            while self._waiting:
                asking = {one: self._waiting.pop(one) for one in list(self._waiting)[:BATCH]}
                await self._answer(asking)
        finally:
            self._looking = None

    async def _answer(self, asking: dict[Entrance, "asyncio.Future[bool]"]) -> None:
        failure = Unanswered("interrupted")
        try:
            async with asyncio.timeout(LOOK_WITHIN):
                inside = await self._look(asking)
            for entrance, answer in asking.items():
                answer.set_result(entrance in inside)
        except (DatabaseError, TimeoutError) as error:
            failure = Unanswered(type(error).__name__)
        finally:
            for answer in asking.values():
                if not answer.done():
                    answer.set_exception(failure)


def _seen(answer: "asyncio.Future[bool]") -> None:
    if not answer.cancelled():
        answer.exception()
