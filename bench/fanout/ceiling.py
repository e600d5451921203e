"""What the kernel and the event loop cost alone: `python -m bench.fanout.ceiling PORT`.

uvicorn's websocket protocol takes the upgrade; each line of stdin is an event, framed once and written to every transport.
"""

import asyncio
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.websocket.dialect import CLOSING
from app.websocket.short_way import framed

TRANSPORTS: set[Any] = set()


class Protocol(WebSocketsSansIOProtocol):
    def connection_lost(self, exc: Exception | None) -> None:
        TRANSPORTS.discard(self.transport)
        super().connection_lost(exc)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Accepts, and remembers the transport."""
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
    TRANSPORTS.add(send.__self__.transport)
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def serve(port: int) -> None:
    orders = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    config = uvicorn.Config(
        app, port=port, ws=Protocol, ws_per_message_deflate=False, ws_ping_interval=None, lifespan="off", log_level="warning", backlog=4096
    )
    serving = asyncio.create_task(uvicorn.Server(config).serve())
    before = b'{"type":"next","id":"1","payload":'
    while payload := (await orders.readline()).rstrip(b"\n"):
        frame = framed(before, payload, CLOSING)
        for transport in list(TRANSPORTS):
            transport.write(frame)
    serving.cancel()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(int(sys.argv[1])))
