"""What the transports need of the engine and of the subscriptions behind them."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from permissions.session import Session
from resolvers.documents.request import Request

OperationKind = Literal["query", "mutation", "subscription"]


class Engine(Protocol):
    """Runs operations that have one answer."""

    def kind(self, request: Request, session: Session) -> OperationKind:
        """Which operation the request runs; raises GraphQLRefusal for a document without a clear one."""
        ...

    async def execute(self, request: Request, session: Session, context: object | None = None) -> bytes:
        """The complete response as JSON; a refusal is part of it and never raised."""
        ...


class Subscriptions(Protocol):
    """Runs operations that answer for as long as the client listens."""

    def subscribe(self, request: Request, session: Session, context: object | None = None) -> AsyncGenerator[bytes, None]:
        """Payloads `{"data":…}` as JSON, one an event; pulled only when the client has taken the one before.

        Raising GraphQLRefusal ends the subscription with an `error` message, also in its middle (a right that is
        lost). The iterator is closed (`aclose`) when the client completes, disconnects or its token expires.
        """
        ...
