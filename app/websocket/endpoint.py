"""`/v1/graphql` as a websocket: origin, subprotocol, then a connection in that dialect."""

from collections.abc import Collection

import structlog
from starlette.types import Receive, Scope, Send

from app.connections.endings import ADDRESS_FULL
from app.graphql.headers import headers_of
from app.graphql.origins import is_allowed_origin
from app.telemetry.log_context import RequestIds, RequestMark, marked
from app.websocket.closing import CloseCode
from app.websocket.connection import SocketConnection
from app.websocket.dialect import Dialect
from app.websocket.legacy_ws import LegacyWs
from app.websocket.socket import Disconnected, Socket
from app.websocket.socket_services import SocketServices
from app.websocket.transport_ws import TransportWs

log = structlog.get_logger(__name__)

# In the order of preference: the first of them that the client speaks as well.
DIALECTS: tuple[Dialect, ...] = (TransportWs(), LegacyWs())


class GraphQLWebSocket:
    """An ASGI application for websocket scopes."""

    def __init__(self, services: SocketServices, *, allowed_origins: Collection[str] = (), own_hosts: Collection[str] = ()) -> None:
        self._services = services
        self._allowed_origins, self._own_hosts = frozenset(allowed_origins), frozenset(own_hosts)
        self._ids = RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection from its upgrade to its end."""
        headers = headers_of(scope["headers"])
        connection_id = self._ids.of(headers.get("x-request-id"))
        with marked(RequestMark(connection_id)):
            await self._connect(scope, receive, send, headers, connection_id)

    async def _connect(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], connection_id: str) -> None:
        await receive()
        if not is_allowed_origin(headers, self._allowed_origins, self._own_hosts):
            log.info("websocket_origin_refused")
            await send({"type": "websocket.close"})  # before the upgrade this is HTTP 403
            return
        clients = self._services.clients
        place = clients.take(scope["client"][0] if scope.get("client") else None)
        if place is None:
            await _too_many(send)
            return
        try:
            await self._converse(scope, receive, send, headers, connection_id)
        finally:
            clients.give_back(place)

    async def _converse(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str], connection_id: str) -> None:
        metrics = self._services.metrics
        socket = Socket(scope, receive, send)
        dialect = next((dialect for dialect in DIALECTS if dialect.subprotocol in scope["subprotocols"]), None)
        metrics.sockets.inc()
        try:
            code = await self._serve(dialect, socket, scope, headers, connection_id)
        except Disconnected:
            return
        finally:
            metrics.sockets.dec()
        if code is not None:
            metrics.closes.labels(str(int(code))).inc()

    async def _serve(
        self, dialect: Dialect | None, socket: Socket, scope: Scope, headers: dict[str, str], connection_id: str
    ) -> CloseCode | None:
        await socket.accept(None if dialect is None else dialect.subprotocol)
        if dialect is None:
            await socket.close(CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE, "Subprotocol not acceptable")
            return CloseCode.SUBPROTOCOL_NOT_ACCEPTABLE
        return await SocketConnection(dialect, socket, scope, headers, self._services, connection_id).run()


async def _too_many(send: Send) -> None:
    body = ADDRESS_FULL.words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "websocket.http.response.start", "status": ADDRESS_FULL.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
