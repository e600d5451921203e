"""One connection in either subprotocol: handshake, operations, and the moments at which it must end."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.types import Scope

from app.auth.refusals import token_expired
from app.graphql import expiry
from app.graphql.principal import address_of, principal_of
from app.graphql.request_body import request_of
from app.sockets.open_sockets import SocketFacts, closed_by_operator
from app.telemetry.log_context import RequestMark, current
from app.websocket import messages
from app.websocket.closing import CloseCode, CloseSocket, invalid_message
from app.websocket.dialect import Asks, Dialect, OperationWords, pong
from app.websocket.keepalive import keep_alive
from app.websocket.running_operation import RunningOperation
from app.websocket.socket import Disconnected, Socket
from app.websocket.socket_services import SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session


class SocketConnection:
    """Every task of a connection lives in one group: the first that orders the end takes all others with it."""

    def __init__(
        self, dialect: Dialect, socket: Socket, scope: Scope, headers: Mapping[str, str], services: SocketServices, connection_id: str
    ) -> None:
        self._dialect, self._socket, self._services = dialect, socket, services
        self._scope, self._headers, self._connection_id = scope, headers, connection_id
        self._tasks: asyncio.TaskGroup
        self._init_received = False
        self._acknowledged: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._session: Session | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._since = time.time()

    @property
    def facts(self) -> SocketFacts:
        """What the service's operator sees of it."""
        client = self._scope.get("client")
        return SocketFacts.of(self._session, self._dialect.subprotocol, self._since, len(self._operations), client and client[0])

    def end(self) -> None:
        """An operator's order. The close code is that of a token which is not good any more: clients ask for another, and come again."""
        order = _ordered(CloseSocket(CloseCode.FORBIDDEN, closed_by_operator().message))
        try:
            self._tasks.create_task(order)
        except RuntimeError:
            # It ends already, for another reason.
            order.close()

    async def run(self) -> CloseCode | None:
        """Serves until the client leaves (None) or has to (the close code)."""
        order: CloseSocket | None = None
        gone = False
        try:
            async with asyncio.TaskGroup() as self._tasks:
                with self._services.sockets.listed(self):
                    self._tasks.create_task(self._watch_the_time())
                    await self._read()
        except* Disconnected:
            gone = True
        except* CloseSocket as orders:
            order = _first(orders)
        if gone or order is None:
            return None
        await self._socket.close(order.code, order.reason)
        return order.code

    async def _read(self) -> None:
        while True:
            text = await self._socket.receive()
            message = messages.read_message(text)
            match self._dialect.asks.get(message["type"]):
                case Asks.INIT:
                    await self._init(message.get("payload"))
                case Asks.BEGIN:
                    await self._begin(message, len(text or ""))
                case Asks.END:
                    self._end(messages.operation_id(message))
                case Asks.PONG:
                    await self._socket.send(pong(message.get("payload")))
                case Asks.NOTHING:
                    pass
                case Asks.LEAVE:
                    raise CloseSocket(CloseCode.NORMAL, "")
                case None:
                    raise invalid_message()

    async def _init(self, payload: object) -> None:
        if self._init_received:
            raise CloseSocket(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._init_received = True
        headers = {**self._headers, **_init_headers(payload)}
        try:
            self._session = await self._services.authenticator.authenticate(headers)
        except GraphQLRefusal as refused:
            await self._turn_away(refused)
        current.set(RequestMark(self._connection_id, self._session.role))
        if not self._acknowledged.done():  # else it came too late by a moment, and the socket closes
            self._acknowledged.set_result(self._session)
        for message in self._dialect.welcome:
            await self._socket.send(message)

    async def _turn_away(self, refused: GraphQLRefusal) -> NoReturn:
        words = self._dialect.turned_away(refused)
        if words is not None:
            await self._socket.send(words)
        raise CloseSocket(CloseCode.FORBIDDEN, refused.message)

    async def _begin(self, message: dict[str, Any], size: int) -> None:
        if self._session is None:
            await self._refuse(self._dialect.too_early(), self._dialect.of(messages.operation_id(message)))
            return
        session = _still_admitted(self._session)
        operation_id = messages.operation_id(message)
        if operation_id in self._operations:
            self._dialect.id_in_use(operation_id)
            self._end(operation_id)
        words = self._dialect.of(operation_id)
        try:
            if len(self._operations) >= self._services.limits.max_operations:
                raise too_many_operations(self._services.limits.max_operations)
            asked = request_of(message.get("payload"), principal_of(session, self._scope), size)
        except GraphQLRefusal as refused:
            await self._refuse(refused, words)
            return
        # Hasura: whoever asks on a websocket is not told `extensions.internal` (`WebSocket.hs`: `getErrFn errRespTy False`).
        request = asked._replace(address=address_of(self._scope), tells_internal=False)
        context = self._services.context_of(session, self._scope)
        self._start(operation_id, RunningOperation(words, request, session, context, self._services, self._socket))

    async def _refuse(self, refused: GraphQLRefusal, words: OperationWords) -> None:
        self._services.outcomes.refused(refused)
        await self._socket.send_all(words.refusal(refused))

    def _start(self, operation_id: str, operation: RunningOperation) -> None:
        def forget(ended: asyncio.Task[None] | None = None) -> None:
            # The client may have completed this one and started another of the same id since.
            if self._operations.get(operation_id) is task:
                del self._operations[operation_id]
            if ended is not None:
                self._services.metrics.operations.dec()

        self._services.metrics.operations.inc()
        task = self._tasks.create_task(operation.run(forget))
        self._operations[operation_id] = task
        task.add_done_callback(forget)

    def _end(self, operation_id: str) -> None:
        task = self._operations.pop(operation_id, None)
        if task is not None:
            task.cancel()

    async def _watch_the_time(self) -> None:
        """Until the token runs out: from then on nothing more may be seen, and the socket closes and takes every operation with it.

        An `error` before it would be the end of a subscription for every client; after the close alone they ask for a new
        token and subscribe again.
        """
        session = await self._require_init()
        every = self._dialect.keepalive_every(self._services.limits)
        await keep_alive(self._socket, self._dialect.keepalive, every, session.expires_at)
        raise CloseSocket(CloseCode.FORBIDDEN, token_expired().message)

    async def _require_init(self) -> Session:
        try:
            async with asyncio.timeout(self._services.limits.init_timeout):
                return await self._acknowledged
        except TimeoutError:
            raise CloseSocket(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout") from None


def _still_admitted(session: Session) -> Session:
    """Whose operations these are; raises CloseSocket where the time of that is over."""
    if expiry.is_over(session.expires_at):
        raise CloseSocket(CloseCode.FORBIDDEN, token_expired().message)
    return session


async def _ordered(order: CloseSocket) -> NoReturn:
    raise order


def _first(orders: BaseExceptionGroup[CloseSocket]) -> CloseSocket:
    for order in orders.exceptions:
        if isinstance(order, CloseSocket):
            return order
    raise orders


def too_many_operations(most: int) -> GraphQLRefusal:
    return GraphQLRefusal(
        "limit-exceeded", f"too many operations on this connection: at most {most} at once, complete some or open another connection"
    )


def _init_headers(payload: object) -> dict[str, str]:
    """`payload.headers` with lower-case names; raises CloseSocket when it is something else than an object of texts."""
    headers = payload.get("headers") if isinstance(payload, dict) else payload
    if headers is None:
        return {}
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid headers in connection_init")
    return {name.lower(): value for name, value in headers.items()}
