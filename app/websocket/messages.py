"""The messages and close codes of graphql-transport-ws."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import orjson

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import read_json

SUBPROTOCOL = "graphql-transport-ws"

PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'
CONNECTION_ACK = b'{"type":"connection_ack"}'
# RFC 6455: a close frame's reason holds at most 123 bytes.
MAX_REASON_BYTES = 123


class CloseCode(IntEnum):
    NORMAL = 1000
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INIT_TIMEOUT = 4408
    SUBSCRIBER_EXISTS = 4409
    TOO_MANY_INITS = 4429


class CloseSocket(Exception):
    """The whole connection ends with this code and reason."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason.encode()[:MAX_REASON_BYTES].decode("utf-8", "ignore")


def read_message(text: str | None) -> dict[str, Any]:
    """A client's message as an object with a `type`; raises CloseSocket for anything else (binary frames too)."""
    if text is None:
        raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received")
    try:
        message = read_json(text.encode())
    except ValueError:
        raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received")
    return message


def operation_id(message: dict[str, Any]) -> str:
    """The id of a `subscribe` or `complete` message; raises CloseSocket."""
    value = message.get("id")
    if not isinstance(value, str) or not value:
        raise CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received")
    return value


def next_message(operation: str, payload: bytes) -> bytes:
    """A payload of an operation: JSON, which is copied once."""
    return b"".join((b'{"type":"next","id":', orjson.dumps(operation), b',"payload":', payload, b"}"))


def complete(operation: str) -> bytes:
    return b'{"type":"complete","id":' + orjson.dumps(operation) + b"}"


def error(operation: str, errors: Sequence[Any]) -> bytes:
    """Ends an operation with GraphQL errors."""
    return orjson.dumps({"type": "error", "id": operation, "payload": list(errors)})


def refusal_message(operation: str, refused: GraphQLRefusal) -> bytes:
    return error(operation, refused.answer()["errors"])
