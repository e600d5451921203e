"""The engine that serves now. Another one takes its place when the metadata is read again; what has begun ends on the one it began on."""

from collections.abc import AsyncGenerator, Callable
from typing import TypeVar
from weakref import WeakSet

from permissions.session import Session
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.feeds.opened import Opened
from resolvers.live.live_query import LiveQuery
from resolvers.sql.database import Database

T = TypeVar("T")


class ServedEngine:
    """`app.graphql.ports.Executes` and `Follows`, by the engine of the moment."""

    def __init__(self, engine: Engine) -> None:
        self._now = engine
        # Those before it, as long as something that began on them runs.
        self._all: WeakSet[Engine] = WeakSet([engine])

    def replace(self, engine: Engine) -> None:
        """From now on what begins, begins on this one."""
        self._now = engine
        self._all.add(engine)

    async def stop(self) -> None:
        """Nothing of any of them touches the database any more."""
        for engine in list(self._all):
            await engine.stop()

    async def kind(self, request: Request, session: Session) -> OperationKind:
        return await self._now.kind(request, session)

    def may_batch(self, members: int, session: Session) -> None:
        self._now.may_batch(members, session)

    async def admit(self, request: Request, session: Session) -> None:
        await self._now.admit(request, session)

    async def execute(self, request: Request, session: Session, context: object | None = None) -> Answer:
        return await self._now.execute(request, session, context)

    async def apart(self, principal: str, work: Callable[[], T], size: int = 0) -> T:
        return await self._now.apart(principal, work, size)

    async def live_query(self, request: Request, session: Session) -> LiveQuery | None:
        return await self._now.live_query(request, session)

    async def room(self, request: Request, session: Session, database: Database, context: object | None = None) -> Opened | None:
        return await self._now.room(request, session, database, context)

    def subscribe(self, request: Request, session: Session, context: object | None = None) -> AsyncGenerator[bytes, None]:
        return self._now.subscribe(request, session, context)
