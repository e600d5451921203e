"""uvicorn's websocket protocol with one more way out: dropping a connection whose buffer does not drain."""

from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.websocket.socket import ABORT

# Seconds that a closing connection may take to flush what it holds.
FLUSH_TIMEOUT = 2.0


class AbortableProtocol(WebSocketsSansIOProtocol):
    """asyncio's `transport.close()` waits for the flush: with a stalled client for ever."""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            # ASGI types an extension as a dictionary; this one is a function.
            cast(dict[str, Any], self.scope["extensions"])[ABORT] = self._abort

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_later()

    def shutdown(self) -> None:
        super().shutdown()
        self._abort_later()

    def _abort_later(self) -> None:
        if self.transport.get_write_buffer_size():
            self.loop.call_later(FLUSH_TIMEOUT, self._abort)

    def _abort(self) -> None:
        self.transport.abort()
