"""`graphql-transport-ws`, the subprotocol of the npm package graphql-ws: urql, Apollo, Relay and refine speak it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from app.websocket.closing import CloseCode, CloseSocket
from app.websocket.dialect import Asks, Dialect
from app.websocket.socket_services import SocketLimits
from permissions.errors import GraphQLRefusal


class TransportWs(Dialect):
    """Everything that is wrong with a connection is a close code; both sides may ping."""

    subprotocol = "graphql-transport-ws"
    asks: ClassVar[Mapping[str, Asks]] = {
        "connection_init": Asks.INIT,
        "subscribe": Asks.BEGIN,
        "complete": Asks.END,
        "ping": Asks.PONG,
        "pong": Asks.NOTHING,
    }
    welcome = (b'{"type":"connection_ack"}',)
    # With the payload of Hasura's (`Protocol.hs`: `keepAliveMessage`).
    keepalive = b'{"type":"ping","payload":{"message":"keepalive"}}'
    payload_type = "next"

    def keepalive_every(self, limits: SocketLimits) -> float:
        """As often as proxies need it."""
        return limits.ping_interval

    def turned_away(self, refused: GraphQLRefusal) -> bytes | None:  # noqa: ARG002 - the close code says it
        """Nothing: the close code and its reason are for that."""
        return None

    def too_early(self) -> GraphQLRefusal:
        """Raises CloseSocket 4401."""
        raise CloseSocket(CloseCode.UNAUTHORIZED, "Unauthorized")

    def id_in_use(self, operation: str) -> None:
        """Raises CloseSocket 4409."""
        raise CloseSocket(CloseCode.SUBSCRIBER_EXISTS, f"Subscriber for {operation} already exists")

    def errors(self, refused: GraphQLRefusal) -> Any:
        """A list of errors."""
        return refused.answer()["errors"]
