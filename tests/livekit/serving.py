"""An ASGI app on a real port of this process, for as long as a block runs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from tests.support.quick_server import QuickServer


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0, *, patience: int = 1) -> AsyncIterator[str]:
    """The app's URL; port 0 takes a free one. At the end what has begun is given `patience` seconds."""
    # Named, or asyncio leaves TCP_NODELAY off and every answer waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    server = QuickServer(uvicorn.Config(app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=patience))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        await running
        # Whoever was let in while it closed.
        await asyncio.sleep(0)
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        listener.close()
