"""The two subprotocols say the same things in other words; these are the things."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from functools import lru_cache
from typing import Any, ClassVar, Final

import orjson

from app.websocket.socket_services import SocketLimits
from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import json_text

_PONG = b'{"type":"pong"}'
# Bytes of a ping's payload that its pong gives back: enough for a time and a name, too few to make us write much.
MOST_ECHOED: Final = 1024
# What follows the payload in its message.
CLOSING = b"}"
# Most clients count from 1, or give a uuid.
SHORT_ID: Final = 36


class Asks(Enum):
    """What a client's message asks for."""

    INIT = auto()
    BEGIN = auto()
    END = auto()
    PONG = auto()
    NOTHING = auto()
    LEAVE = auto()


class Dialect(ABC):
    """The words of one subprotocol; messages are UTF-8 JSON."""

    # As it stands in Sec-WebSocket-Protocol.
    subprotocol: ClassVar[str]
    # A client's `type`, and what it asks for; any other is no message of this subprotocol.
    asks: ClassVar[Mapping[str, Asks]]
    # What a client hears when its `connection_init` was taken.
    welcome: ClassVar[Sequence[bytes]]
    keepalive: ClassVar[bytes]
    # The `type` of a payload.
    payload_type: ClassVar[str]
    # Whether a query or mutation that fails while it runs is told so in its payload: `error` is of what can't begin then.
    fails_in_payload: ClassVar[bool] = False
    # Whether `complete` follows an `error`.
    completes_errors: ClassVar[bool] = False

    @abstractmethod
    def keepalive_every(self, limits: SocketLimits) -> float:
        """Seconds between two of them."""

    @abstractmethod
    def turned_away(self, refused: GraphQLRefusal) -> bytes | None:
        """What is said to a client whose `connection_init` is refused, before the socket closes."""

    @abstractmethod
    def too_early(self) -> GraphQLRefusal:
        """How an operation is refused that comes before `connection_init`; raises CloseSocket where that ends the connection."""

    @abstractmethod
    def id_in_use(self, operation: str) -> None:
        """Raises CloseSocket where a second operation of the same id is a fault; otherwise it takes the place of the first."""

    @abstractmethod
    def errors(self, refused: GraphQLRefusal) -> Any:
        """The payload of an `error`."""

    def of(self, operation: str) -> "OperationWords":
        """The messages about one operation."""
        return OperationWords(self, operation)


class OperationWords:
    """The messages about one operation, in one subprotocol."""

    __slots__ = ("_dialect", "_id", "opening")

    def __init__(self, dialect: Dialect, operation: str) -> None:
        self._dialect, self._id = dialect, operation
        # A payload's message is this, the payload and `CLOSING`: of many subscribers only this differs.
        opening = _opening_of_many if len(operation) <= SHORT_ID else _opening
        self.opening = opening(dialect.payload_type, operation)

    def payload(self, payload: bytes) -> bytes:
        """A payload of the operation: JSON, which is copied once."""
        return b"".join((self.opening, payload, CLOSING))

    @property
    def fails_in_payload(self) -> bool:
        """Of the dialect."""
        return self._dialect.fails_in_payload

    def complete(self) -> bytes:
        """Nothing follows."""
        return orjson.dumps({"type": "complete", "id": self._id})

    def refusal(self, refused: GraphQLRefusal) -> Sequence[bytes]:
        """Ends the operation with an error."""
        error = orjson.dumps({"type": "error", "id": self._id, "payload": self._dialect.errors(refused)})
        return [error, self.complete()] if self._dialect.completes_errors else [error]


def pong(payload: object) -> bytes:
    """The answer to a ping, with its payload (Hasura's `WebSocket.hs`: `onPing`): clients find their own words in it.

    Without one where it is no object, which the subprotocol asks for, or too long.
    """
    if not isinstance(payload, dict):
        return _PONG
    try:
        echoed = json_text(payload).encode()
    except GraphQLRefusal:  # nested deeper than we write, which is nothing to end a connection for
        return _PONG
    return _PONG if len(echoed) > MOST_ECHOED else b"".join((b'{"type":"pong","payload":', echoed, CLOSING))


def _opening(payload_type: str, operation: str) -> bytes:
    return b"".join((b'{"type":"', payload_type.encode(), b'","id":', orjson.dumps(operation), b',"payload":'))


# The same bytes for all operations of the same id.
_opening_of_many = lru_cache(maxsize=1024)(_opening)
