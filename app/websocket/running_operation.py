"""One operation on a websocket, from `subscribe` to `complete` or `error`."""

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import orjson

from app.websocket import messages
from app.websocket.socket import Socket
from app.websocket.socket_services import SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.request import Request


class RunningOperation:
    """Pulls the next payload only when the client has taken the one before: there is no queue to grow."""

    def __init__(
        self, operation_id: str, request: Request, session: Session, context: object, services: SocketServices, socket: Socket
    ) -> None:
        self._id, self._request, self._session, self._context = operation_id, request, session, context
        self._services, self._socket = services, socket

    async def run(self, ended: Callable[[], None]) -> None:
        """Runs to the end; `ended` is called before the last message, so that the client may use the id again at once."""
        try:
            last = await self._run()
        except GraphQLRefusal as refused:
            last = messages.refusal_message(self._id, refused)
        ended()
        await self._socket.send(last)

    async def _run(self) -> str:
        if await self._services.engine.kind(self._request, self._session) == "subscription":
            return await self._stream()
        return await self._answer()

    async def _stream(self) -> str:
        prefix = messages.next_prefix(self._id)
        payloads = self._services.subscriptions.subscribe(self._request, self._session, self._context)
        async with aclosing(payloads):
            async for payload in payloads:
                await self._socket.send(f"{prefix}{payload.decode()}}}")
        return messages.complete(self._id)

    async def _answer(self) -> str:
        body = await self._services.engine.execute(self._request, self._session, self._context)
        if body.startswith(b'{"errors"'):
            # Hasura answers with data or with errors, never both: errors end the operation.
            refused: dict[str, Any] = orjson.loads(body)
            return messages.error(self._id, refused["errors"])
        await self._socket.send(f"{messages.next_prefix(self._id)}{body.decode()}}}")
        return messages.complete(self._id)
