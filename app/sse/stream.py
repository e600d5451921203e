"""One HTTP response that goes on: events out, and the moment at which its client is gone."""

import asyncio
from collections.abc import Iterable
from typing import Final

from starlette.types import Receive, Send

from app.sse.events import KEEPALIVE

_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would keep events until it has a buffer full of them.
    (b"x-accel-buffering", b"no"),
)


class EventStream:
    """Nothing is kept here for a client that does not read: whoever sends waits until it has taken what was sent before.

    One that takes nothing for long is dropped by the server (`app/connections/`).
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send

    async def open(self, request_id: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """The head of the response, with what else is said in it."""
        headers = [*_HEADERS, (b"x-request-id", request_id.encode()), *headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # Something at once: some proxies, and some clients, wait for the first bytes of the body.
        await self.send(KEEPALIVE)

    async def send(self, event: bytes) -> None:
        """A whole event; returns when the server took it."""
        await self._send({"type": "http.response.body", "body": event, "more_body": True})

    async def taken(self) -> None:
        """Returns when the client took nearly all that was sent."""
        # The transport sends at the end of this turn of the loop; only then is it known whether anything is left.
        await asyncio.sleep(0)
        await self.send(b"")

    async def close(self) -> None:
        """The end of the response."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def gone(self) -> None:
        """Returns when the client has hung up; the body of its request must have been read."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def keep_alive(self, every: float) -> None:
        """Sends a comment every so many seconds, until it is cancelled: proxies between us close a silent connection."""
        while True:
            await asyncio.sleep(every)
            await self.send(KEEPALIVE)
