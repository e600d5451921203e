"""A client's message as it arrives: an object with a `type`, in either subprotocol."""

from typing import Any

from app.websocket.closing import invalid_message
from resolvers.documents.exact_json import read_json


def read_message(text: str | None) -> dict[str, Any]:
    """A client's message as an object with a `type`; raises CloseSocket for anything else (binary frames too)."""
    if text is None:
        raise invalid_message()
    try:
        message = read_json(text.encode())
    except ValueError:
        raise invalid_message() from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise invalid_message()
    return message


def operation_id(message: dict[str, Any]) -> str:
    """The id of a message about an operation; raises CloseSocket."""
    value = message.get("id")
    if not isinstance(value, str) or not value:
        raise invalid_message()
    return value
