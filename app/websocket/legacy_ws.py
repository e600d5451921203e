"""`graphql-ws`, the subprotocol of the npm package subscriptions-transport-ws: Hasura's first one, and that of older apps."""

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from app.websocket.dialect import Asks, Dialect
from app.websocket.socket_services import SocketLimits
from permissions.errors import GraphQLRefusal

_KEEPALIVE = b'{"type":"ka"}'


class LegacyWs(Dialect):
    """The server alone keeps the connection alive; the rest is graphql-transport-ws by other names."""

    subprotocol = "graphql-ws"
    asks: ClassVar[Mapping[str, Asks]] = {
        "connection_init": Asks.INIT,
        "start": Asks.BEGIN,
        "stop": Asks.END,
        "connection_terminate": Asks.LEAVE,
    }
    # The first `ka` makes the client watch for the next ones.
    welcome = (b'{"type":"connection_ack"}', _KEEPALIVE)
    keepalive = _KEEPALIVE
    payload_type = "data"
    fails_in_payload = True
    # Hasura's `withComplete` (`WebSocket.hs`).
    completes_errors = True

    def keepalive_every(self, limits: SocketLimits) -> float:
        """As often as Hasura sends it: apps were given a time to wait for it that fits."""
        return limits.legacy_ping_interval

    def turned_away(self, refused: GraphQLRefusal) -> bytes | None:
        """The client's callback hears it; the close code came later than this protocol. A text, as Hasura's `ConnErrMsg`."""
        return orjson.dumps({"type": "connection_error", "payload": refused.message})

    def too_early(self) -> GraphQLRefusal:
        """The socket stays (`WebSocket.hs`: `onStart`); for how long is said by the time that `connection_init` has."""
        return GraphQLRefusal("start-failed", "start received before the connection is initialised")

    def id_in_use(self, operation: str) -> None:
        """The second takes the place of the first, as the protocol's own server does it."""

    def errors(self, refused: GraphQLRefusal) -> Any:
        """As Hasura sends it (`Transport/WSServerApp.hs`): what an answer over HTTP is; of what could not start the error alone."""
        answer = refused.answer()
        return answer["errors"][0] if refused.code == "start-failed" else answer
