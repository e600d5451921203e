"""Large answers begin one after the other, each in a turn of the event loop of its own, so that small ones come between them."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from app.graphql.ports import Executes
from permissions.session import Session
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.documents.lru import LRU
from resolvers.documents.request import Request

# Encoding, framing and writing so many bytes takes about a millisecond.
LARGE: Final = 128 * 1024
_DOCUMENTS: Final = 1000

T = TypeVar("T")


class LargeAnswers:
    """`Executes`, in front of an engine: a document that had a large answer once begins in a turn of the event loop to itself from then on.

    They run beside each other once begun: how many do at once is the database's share of each principal. Many that
    arrive together never take one turn of the loop together.
    """

    def __init__(self, engine: Executes) -> None:
        self._engine = engine
        self._large: LRU[int, bool] = LRU(_DOCUMENTS)
        self._beginning = asyncio.Lock()

    async def kind(self, request: Request, session: Session) -> OperationKind:
        """As the engine says."""
        return await self._engine.kind(request, session)

    def may_batch(self, members: int, session: Session) -> None:
        """As the engine says."""
        self._engine.may_batch(members, session)

    async def admit(self, request: Request, session: Session) -> None:
        """As the engine says."""
        await self._engine.admit(request, session)

    async def execute(self, request: Request, session: Session, context: object | None = None) -> Answer:
        """As the engine answers."""
        if self._large.get(hash(request.query)):
            async with self._beginning:
                await asyncio.sleep(0)
        answer = await self._engine.execute(request, session, context)
        if len(answer.body) > LARGE:
            self._large.put(hash(request.query), True)
        return answer

    async def apart(self, principal: str, work: Callable[[], T], size: int = 0) -> T:
        """As the engine does it."""
        return await self._engine.apart(principal, work, size)
