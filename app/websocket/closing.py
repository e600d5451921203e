"""Why a websocket ends by our doing: the close codes of both subprotocols, and the order to close."""

from enum import IntEnum

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


def invalid_message() -> CloseSocket:
    """What came can't be read as a message of the subprotocol."""
    return CloseSocket(CloseCode.BAD_REQUEST, "Invalid message received")
