"""The console: GraphiQL built once into console/dist, served from our own address with nothing from outside."""

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

PAGE = Path(__file__).resolve().parents[2] / "console" / "dist"

# Monaco writes styles and starts workers, hls.js plays what it fetched; all but recordings comes from our own address, whose websockets
# not every browser takes for `'self'`.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; img-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; connect-src 'self'{others}; frame-ancestors 'none'; base-uri 'none'"
)
_HOST = re.compile(r"[\w.\[\]:-]+", re.ASCII)
HEADERS = {
    "Content-Security-Policy": POLICY.format(others=""),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class OfferedUser:
    """A person the console offers to act as, in dev mode only."""

    id: str
    name: str
    role: str
    note: str


class _ConsoleFiles(StaticFiles):
    """Every answer below `/console/`, a refusal too, has the headers of the page."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            await super().__call__(scope, receive, send_with_headers)
        except HTTPException as refusal:
            await PlainTextResponse(refusal.detail, refusal.status_code)(scope, receive, send_with_headers)


def console_routes(
    offered_users: Sequence[OfferedUser] = (), token_for: Callable[[OfferedUser], str] | None = None, *, store: str = ""
) -> list[BaseRoute]:
    """`/console`, its files, and the demo users with a fresh token each (none outside dev mode).

    `store` is the address of the store, from which the page plays recordings.
    """
    return [
        Route("/console", functools.partial(_page, store)),
        Route("/console/demo-users.json", functools.partial(_offered_users, offered_users, token_for)),
        Mount("/console", _ConsoleFiles(directory=PAGE, html=True, check_dir=False)),
    ]


async def _page(store: str, request: Request) -> Response:
    host = request.headers.get("host", "")
    own = (f"ws://{host}", f"wss://{host}") if _HOST.fullmatch(host) else ()
    policy = POLICY.format(others="".join(f" {other}" for other in (*own, store) if other))
    return FileResponse(PAGE / "index.html", headers=HEADERS | {"Content-Security-Policy": policy})


async def _offered_users(users: Sequence[OfferedUser], token_for: Callable[[OfferedUser], str] | None, _request: Request) -> Response:
    offered = [{"name": u.name, "role": u.role, "note": u.note, "token": token_for(u)} for u in users] if token_for else []
    return JSONResponse({"users": offered}, headers=HEADERS | {"Cache-Control": "no-store"})
