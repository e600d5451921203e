"""An application whose requests may be cancelled: by a client that hangs up, or by the end of the process."""

import asyncio
import contextlib

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from app.connections.endings import SHUTTING_DOWN


class Interruptible:
    """uvicorn takes a cancellation for a fault of the application; here it is an end like any other."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request; one that is cancelled is answered with 503, if anybody listens."""
        try:
            await self._app(scope, receive, send)
        except ClientDisconnect:
            pass
        except asyncio.CancelledError:
            if scope["type"] == "http":
                await _answer(send)


async def _answer(send: Send) -> None:
    body = SHUTTING_DOWN.words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    with contextlib.suppress(RuntimeError):  # the answer had begun: the server closes the connection
        await send({"type": "http.response.start", "status": SHUTTING_DOWN.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
