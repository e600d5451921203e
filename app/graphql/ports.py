"""What every transport needs of what stands behind it."""

from collections.abc import AsyncGenerator, Callable
from typing import Protocol, TypeVar

from starlette.types import Scope

from permissions.session import Session
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request
from resolvers.feeds.opened import Opened
from resolvers.feeds.told import Direct
from resolvers.live.live_query import LiveQuery
from resolvers.live.offer import Offer
from resolvers.sql.database import Database

T = TypeVar("T")

# What an engine's resolvers get beside the session; made for each request.
ContextOf = Callable[[Session, Scope], object]


class Executes(Protocol):
    """Runs operations that have one answer."""

    async def kind(self, request: Request, session: Session) -> OperationKind:
        """Which operation the request runs; raises GraphQLRefusal for a document without a clear one."""
        ...

    def may_batch(self, members: int, session: Session) -> None:
        """Raises batch-limit-exceeded where the role may not ask so much in one batch."""
        ...

    async def admit(self, request: Request, session: Session) -> None:
        """Counts the operation before it begins, once; raises rate-limit-exceeded where the role has begun too many in this minute."""
        ...

    async def execute(self, request: Request, session: Session, context: object | None = None) -> Answer:
        """The complete answer; a refusal is part of it and never raised."""
        ...

    async def apart(self, principal: str, work: Callable[[], T], size: int = 0) -> T:
        """The result of work that would hold the event loop, done when it is the principal's turn; `size` bytes of JSON wait for it.

        Raises rate-limited.
        """
        ...


class Follows(Protocol):
    """An engine as subscriptions need it: `resolvers/engine.py` says what each does."""

    async def live_query(self, request: Request, session: Session) -> LiveQuery | None: ...

    async def room(self, request: Request, session: Session, database: Database, context: object | None = None) -> Opened | None: ...

    def subscribe(self, request: Request, session: Session, context: object | None = None) -> AsyncGenerator[bytes, None]: ...


class Subscribes(Protocol):
    """Runs operations that answer for as long as the client listens."""

    def subscribe(
        self, request: Request, session: Session, context: object | None = None, direct: Direct | None = None
    ) -> AsyncGenerator[Offer, None]:
        """Payloads `{"data":…}` as JSON, one an event; pulled only when the client has taken the one before.

        Raising GraphQLRefusal ends the subscription with an `error` message, also in its middle (a right that is lost). What went the
        `direct` way is not given back. The iterator is closed (`aclose`) when the client completes, disconnects or its token expires.
        """
        ...
