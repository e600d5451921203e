"""One operation on a websocket, from its beginning to `complete` or `error`."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from app.websocket.dialect import OperationWords
from app.websocket.short_way import ShortWay
from app.websocket.socket import Disconnected, Socket
from app.websocket.socket_services import SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.answer import Answer
from resolvers.documents.document import OperationKind
from resolvers.documents.request import Request
from resolvers.live.offer import Offer

# A finished answer of this size may wait beside others; of larger ones a socket holds one.
SMALL_ANSWER = 16 * 1024
# So often a query is asked while others may write to the client; after that they wait until it is answered.
ASKED_BESIDE_OTHERS = 2


class RunningOperation:
    """Pulls the next payload only when the client has taken the one before: there is no queue to grow.

    Operations run beside each other, but none begins while the client has an answer to take. What a query or a live query has found
    then is asked again when its turn has come: to hold it would let a client that does not read fill our memory. Mutations and events
    can't be asked again: few of those run at once, and these count among what the process holds.
    """

    def __init__(
        self, words: OperationWords, request: Request, session: Session, context: object, services: SocketServices, socket: Socket
    ) -> None:
        self._words, self._request, self._session, self._context = words, request, session, context
        self._services, self._socket = services, socket
        self._kind: OperationKind | None = None

    async def run(self, ended: Callable[[], None]) -> None:
        """Runs to the end; `ended` is called before the last message, so that the client may use the id again at once.

        Not before an `error` that `complete` follows: an operation that took the id in between would be completed by it.
        """
        try:
            *before, last = await self._run()
        except GraphQLRefusal as refused:
            # Its kind and name are known unless it is the document that was refused.
            self._services.outcomes.refused(refused, self._kind, self._request.operation_name if self._kind else None)
            *before, last = self._words.refusal(refused)
        await self._socket.send_all(before)
        ended()
        await self._socket.send(last)

    async def _run(self) -> Sequence[bytes]:
        async with self._socket.turn():
            pass
        await self._services.engine.admit(self._request, self._session)
        self._kind = await self._services.engine.kind(self._request, self._session)
        match self._kind:
            case "subscription":
                return await self._stream()
            case "mutation":
                async with self._socket.mutating:
                    return await self._send(await self._execute())
        return await self._query()

    async def _stream(self) -> Sequence[bytes]:
        try:
            async with aclosing(self._offers()) as offers:
                async for offer in offers:
                    if offer.size > SMALL_ANSWER and self._socket.is_busy():
                        offer.let_go()
                    async with self._socket.turn(holding=offer.size):
                        await self._socket.send(self._words.payload(await offer.take()))
        except (asyncio.CancelledError, Disconnected):
            self._services.outcomes.ended()
            raise
        self._services.outcomes.ended()
        return [self._words.complete()]

    def _offers(self) -> AsyncGenerator[Offer, None]:
        write = self._socket.write_now
        short_way = None if write is None else ShortWay(self._words.opening, write)
        return self._services.subscriptions.subscribe(self._request, self._session, self._context, short_way)

    async def _query(self) -> Sequence[bytes]:
        for _ in range(ASKED_BESIDE_OTHERS):
            answer = await self._execute()
            if len(answer.body) <= SMALL_ANSWER or not self._socket.is_busy():
                return await self._send(answer)
            del answer
            async with self._socket.turn():
                pass
        async with self._socket.turn():
            return await self._send(await self._execute())

    async def _execute(self) -> Answer:
        began = time.perf_counter()
        answer = await self._services.engine.execute(self._request, self._session, self._context)
        self._services.outcomes.took(time.perf_counter() - began, len(answer.body))
        return answer

    async def _send(self, answer: Answer) -> Sequence[bytes]:
        """The answer as a message; what ends the operation is given back."""
        self._services.outcomes.note(answer)
        if answer.refusal is not None and not (answer.ran and self._words.fails_in_payload):
            # Hasura answers with data or with errors, never both: errors end the operation.
            return self._words.refusal(answer.refusal)
        await self._socket.send(self._words.payload(answer.body))
        return [self._words.complete()]
