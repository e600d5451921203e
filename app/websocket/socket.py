"""One ASGI websocket: text in, text out, and an end to clients that don't take what they asked for."""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from app.websocket.messages import CloseCode

# The key of the scope's extensions under which our server offers to drop the connection at once.
ABORT = "websocket.abort"


class Disconnected(Exception):
    """The client is gone, or was dropped because it stalled."""


class Socket:
    """Sending waits while the client is slow (the server buffers some 64 KiB) and gives up after `stall` seconds."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, stall: float, on_stall: Callable[[], object]) -> None:
        self._receive, self._send, self._stall, self._on_stall = receive, send, stall, on_stall
        self._abort: Callable[[], None] | None = scope.get("extensions", {}).get(ABORT)

    async def accept(self, subprotocol: str | None) -> None:
        """Takes the upgrade; raises Disconnected."""
        await self._timely({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})

    async def receive(self) -> str | None:
        """The next message's text, None for a binary one; raises Disconnected at the end."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        text = message.get("text")
        return text if isinstance(text, str) else None

    async def send(self, text: str) -> None:
        """Returns when the server took the message; raises Disconnected."""
        await self._timely({"type": "websocket.send", "text": text})

    async def close(self, code: CloseCode, reason: str) -> None:
        """Says goodbye; a client that takes nothing is dropped without."""
        await self._timely({"type": "websocket.close", "code": int(code), "reason": reason})

    async def _timely(self, message: dict[str, object]) -> None:
        try:
            async with asyncio.timeout(self._stall):
                await self._send(message)
        except TimeoutError:
            self._on_stall()
            # Closing would wait for the very buffer that doesn't drain.
            if self._abort is not None:
                self._abort()
            raise Disconnected from None
        except OSError:  # the server's ClientDisconnected
            raise Disconnected from None
