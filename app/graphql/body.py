"""The body of an HTTP request, bounded."""

from collections.abc import Mapping

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive


async def read_body(headers: Mapping[str, str], receive: Receive, most: int) -> bytes | None:
    """The body, or None when it has more than `most` bytes; raises ClientDisconnect when it does not come to its end."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        return None
    message: Message = await receive()
    if not message.get("more_body", False) and message["type"] == "http.request":
        first: bytes = message["body"]
        return first if len(first) <= most else None
    body = bytearray()
    while message["type"] == "http.request":
        body += message["body"]
        if len(body) > most:
            return None
        if not message["more_body"]:
            return bytes(body)
        message = await receive()
    raise ClientDisconnect
