"""In development nobody is asked for a password, so a request must at least be meant for this machine.

A page anywhere can let its own name resolve to 127.0.0.1 and then read what is served there, the demo users' tokens too.
Only the Host header tells.
"""

from collections.abc import Collection

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.settings.own_hosts import host_name

log = structlog.get_logger(__name__)


def is_foreign(scope: Scope, own: Collection[str]) -> bool:
    """Whether the request names a host that is none of ours, several, or none."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return len(hosts) != 1 or host_name(hosts[0]) not in own


async def refuse(scope: Scope, receive: Receive, send: Send, own: Collection[str]) -> None:
    """421 in words; a websocket is not opened."""
    log.info("foreign_host_refused")
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})  # before the upgrade this is HTTP 403
        return
    words = f"This service answers for {', '.join(sorted(own))}. NCHAT_PUBLIC_URL adds the name by which you reach it.\n"
    await PlainTextResponse(words, status_code=421)(scope, receive, send)
