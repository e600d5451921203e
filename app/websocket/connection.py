"""One graphql-transport-ws connection: handshake, operations, and the moments at which it must end."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

from app.auth.refusals import token_expired
from app.graphql.principal import principal_of
from app.graphql.request_body import request_of
from app.telemetry.log_context import RequestMark, current
from app.websocket import messages
from app.websocket.keepalive import ping
from app.websocket.messages import CloseCode, CloseSocket
from app.websocket.running_operation import RunningOperation
from app.websocket.socket import Disconnected, Socket
from app.websocket.socket_services import SocketServices
from permissions.errors import GraphQLRefusal
from permissions.session import Session

# A sleeping clock (a suspended machine) is looked at again this often, in seconds.
LONGEST_SLEEP = 60.0


class SocketConnection:
    """Every task of a connection lives in one group: the first that orders the end takes all others with it."""

    def __init__(self, socket: Socket, scope: Scope, headers: Mapping[str, str], services: SocketServices, connection_id: str) -> None:
        self._socket, self._scope, self._headers, self._services = socket, scope, headers, services
        self._connection_id = connection_id
        self._tasks: asyncio.TaskGroup
        self._init_received = False
        self._acknowledged = asyncio.Event()
        self._session: Session | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> CloseCode | None:
        """Serves until the client leaves (None) or has to (the close code)."""
        order: CloseSocket | None = None
        gone = False
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._require_init())
                self._tasks.create_task(ping(self._socket, self._services.limits.ping_interval))
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
            match message["type"]:
                case "connection_init":
                    await self._init(message.get("payload"))
                case "ping":
                    await self._socket.send(messages.PONG)
                case "pong":
                    pass
                case "subscribe":
                    await self._subscribe(message, len(text or ""))
                case "complete":
                    self._complete(message)
                case _:
                    raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received")

    async def _init(self, payload: object) -> None:
        if self._init_received:
            raise CloseSocket(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        self._init_received = True
        headers = {**self._headers, **_init_headers(payload)}
        try:
            self._session = await self._services.authenticator.authenticate(headers)
        except GraphQLRefusal as refused:
            raise CloseSocket(CloseCode.FORBIDDEN, refused.message) from None
        current.set(RequestMark(self._connection_id, self._session.role))
        self._acknowledged.set()
        await self._socket.send(messages.CONNECTION_ACK)
        if self._session.expires_at is not None:
            self._tasks.create_task(self._expire(self._session.expires_at))

    async def _subscribe(self, message: dict[str, Any], size: int) -> None:
        if self._session is None:
            raise CloseSocket(CloseCode.UNAUTHORIZED, "Unauthorized")
        if self._session.expires_at is not None and self._session.expires_at <= time.time():
            raise CloseSocket(CloseCode.FORBIDDEN, token_expired().message)
        operation_id = messages.operation_id(message)
        if operation_id in self._operations:
            raise CloseSocket(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {operation_id} already exists")
        try:
            if len(self._operations) >= self._services.limits.max_operations:
                raise too_many_operations(self._services.limits.max_operations)
            request = request_of(message.get("payload"), principal_of(self._session, self._scope), size)
        except GraphQLRefusal as refused:
            self._services.outcomes.refused(refused)
            await self._socket.send(messages.refusal_message(operation_id, refused))
            return
        context = self._services.context_of(self._session, self._scope)
        operation = RunningOperation(operation_id, request, self._session, context, self._services, self._socket)
        self._start(operation_id, operation)

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

    def _complete(self, message: dict[str, Any]) -> None:
        task = self._operations.pop(messages.operation_id(message), None)
        if task is not None:
            task.cancel()

    async def _require_init(self) -> None:
        try:
            async with asyncio.timeout(self._services.limits.init_timeout):
                await self._acknowledged.wait()
        except TimeoutError:
            raise CloseSocket(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout") from None

    async def _expire(self, expires_at: float) -> None:
        """At that unix time nothing more may be seen: the socket closes, and takes every operation with it.

        An `error` before it would be the end of a subscription for graphql-ws, urql and Apollo; after the close alone they
        ask for a new token and subscribe again.
        """
        while (left := expires_at - time.time()) > 0:  # noqa: ASYNC110 - nobody tells us of the wall clock
            await asyncio.sleep(min(left, LONGEST_SLEEP))
        raise CloseSocket(CloseCode.FORBIDDEN, token_expired().message)


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
