"""`/api/livekit/admit`: a proxy asks before it lets a request through to LiveKit's signalling, and is told yes or no."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.livekit.access_tokens import AccessTokens
from app.livekit.admissions import Admissions, Unanswered
from app.livekit.presented_token import NotAdmitted, NoToken, presented_token

ADMIT_PATH: Final = "/api/livekit/admit"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# nginx's customary names, then those of Caddy and Traefik.
URI_HEADERS: Final = ("x-original-uri", "x-forwarded-uri")
METHOD_HEADERS: Final = ("x-original-method", "x-forwarded-method")

log = structlog.get_logger(__name__)


class AdmissionEndpoint:
    """The proxy sends the original request's URI and Authorization header along; neither is ever logged, they hold a token."""

    def __init__(self, tokens: AccessTokens, admissions: Admissions, count: Callable[[str], None] = lambda _outcome: None) -> None:
        """`count` hears of each answer: `admitted`, `refused` or `unanswered`."""
        self._tokens = tokens
        self._admissions = admissions
        self._count = count

    def routes(self) -> Sequence[BaseRoute]:
        """The endpoint at its path. Some proxies pass a websocket's upgrade on with their question: that is answered, never opened."""
        return [Route(ADMIT_PATH, self.admit, methods=METHODS), WebSocketRoute(ADMIT_PATH, self._admit_upgrade)]

    async def _admit_upgrade(self, upgrade: WebSocket) -> None:
        await upgrade.send_denial_response(await self.admit(upgrade))

    async def admit(self, request: HTTPConnection) -> Response:
        """204 when the person may be in that room now, 401 without a token, 403 otherwise, 503 when the database does not say."""
        status = await self._status(request)
        self._count({204: "admitted", 503: "unanswered"}.get(status, "refused"))
        return Response(status_code=status, headers={"Cache-Control": "no-store"})

    async def _status(self, request: HTTPConnection) -> int:
        try:
            return 204 if await self._may_enter(request) else 403
        except NoToken:
            return 401
        except NotAdmitted:
            return 403
        except Unanswered as error:
            log.warning("admission_unanswered", reason=str(error))
            return 503

    async def _may_enter(self, request: HTTPConnection) -> bool:
        # A websocket is opened by GET; with another method LiveKit would look for a token in the body as well.
        if _said_by_proxy(request, METHOD_HEADERS) not in (None, "GET"):
            raise NotAdmitted("not a GET")
        uri = _said_by_proxy(request, URI_HEADERS)
        if uri is None:
            raise NotAdmitted("no original address")
        token = presented_token(uri, request.headers.getlist("authorization"))
        return await self._admissions.may_enter(self._tokens.entrance(token))


def _said_by_proxy(request: HTTPConnection, names: tuple[str, ...]) -> str | None:
    """What the proxy says of the original request. A second word on it can only be the client's own, so then it is neither."""
    said = [value for name in names for value in request.headers.getlist(name)]
    if len(said) > 1:
        raise NotAdmitted("two original requests")
    return said[0] if said else None
