"""One stream as the service's operator has it."""

import asyncio
import time

from starlette.types import Scope

from app.sockets.open_sockets import SocketFacts
from permissions.session import Session


class ListedStream:
    """`app.sockets.open_sockets.OpenSocket`: one operation for one session."""

    def __init__(self, session: Session, scope: Scope) -> None:
        client = scope.get("client")
        self._facts = SocketFacts.of(session, "sse", time.time(), 1, client and client[0])
        self.expires_at = session.expires_at
        self._ended = asyncio.Event()

    @property
    def facts(self) -> SocketFacts:
        return self._facts

    def end(self) -> None:
        self._ended.set()

    async def ended(self) -> None:
        """Returns when an operator has closed it."""
        await self._ended.wait()
