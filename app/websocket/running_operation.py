"""One operation on a websocket, from `subscribe` to `complete` or `error`."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing

from app.websocket import messages
from app.websocket.socket import Disconnected, Socket
from app.websocket.socket_services import SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request


class RunningOperation:
    """Pulls the next payload only when the client has taken the one before: there is no queue to grow."""

    def __init__(
        self, operation_id: str, request: Request, session: Session, context: object, services: SocketServices, socket: Socket
    ) -> None:
        self._id, self._request, self._session, self._context = operation_id, request, session, context
        self._services, self._socket = services, socket
        self._kind: OperationKind | None = None

    async def run(self, ended: Callable[[], None]) -> None:
        """Runs to the end; `ended` is called before the last message, so that the client may use the id again at once."""
        try:
            last = await self._run()
        except GraphQLRefusal as refused:
            # Its kind and name are known unless it is the document that was refused.
            self._services.outcomes.refused(refused, self._kind, self._request.operation_name if self._kind else None)
            last = messages.refusal_message(self._id, refused)
        ended()
        await self._socket.send(last)

    async def _run(self) -> str:
        self._kind = await self._services.engine.kind(self._request, self._session)
        if self._kind == "subscription":
            return await self._stream()
        return await self._answer()

    async def _stream(self) -> str:
        prefix = messages.next_prefix(self._id)
        payloads = self._services.subscriptions.subscribe(self._request, self._session, self._context)
        try:
            async with aclosing(payloads):
                async for payload in payloads:
                    await self._socket.send(f"{prefix}{payload.decode()}}}")
        except (asyncio.CancelledError, Disconnected):
            self._services.outcomes.ended()
            raise
        self._services.outcomes.ended()
        return messages.complete(self._id)

    async def _answer(self) -> str:
        began = time.perf_counter()
        answer = await self._services.engine.execute(self._request, self._session, self._context)
        self._services.outcomes.note(answer)
        self._services.outcomes.took(time.perf_counter() - began, len(answer.body))
        if answer.refusal is not None:
            # Hasura answers with data or with errors, never both: errors end the operation.
            return messages.refusal_message(self._id, answer.refusal)
        await self._socket.send(f"{messages.next_prefix(self._id)}{answer.body.decode()}}}")
        return messages.complete(self._id)
