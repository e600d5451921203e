"""`/media/…`: a link is followed, the right is looked up again, and the store's address or a playlist is the answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.media.library import Asked, Elsewhere, Found, Library, Text
from app.media.visitors import Visitors
from domain.recording_ports import StorageError
from permissions.errors import GraphQLRefusal
from permissions.session import USER_ID
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)

PATH: Final = "/media/{kind}/{id:uuid}/{token}"
# Seconds after which a player may ask again while store or database are away.
RETRY_AFTER: Final = "2"
MISSING_VARIABLE: Final = "not-found"
# A link in a page's address bar, in a cache or in a `Referer` would be a copied link. Pages of other origins may show what they got.
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
Count = Callable[[str, str], None]


class MediaEndpoint:
    """Whoever has a link is the person whom it was made for. One answer for all refusals: a wrong signature, a link that is over, a
    recording that is not there, or not for this person (any more). `count` hears of each kind and outcome."""

    def __init__(self, visitors: Visitors, library: Library, count: Count = lambda _kind, _outcome: None) -> None:
        self._visitors, self._library, self._count = visitors, library, count
        self._shelves = library.shelves

    def routes(self, origins: Sequence[str]) -> Sequence[BaseRoute]:
        """The links themselves, and what playlists and storyboards name below them; pages of these origins may read them."""
        cors = Middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["GET"], allow_headers=["range"], max_age=3600)
        ways = {PATH: self._link, PATH + "/{index:int}/{name}": self._piece}
        if not origins:
            return [Route(path, answer, methods=["GET"]) for path, answer in ways.items()]
        return [Route(path, answer, methods=["GET", "OPTIONS"], middleware=[cors]) for path, answer in ways.items()]

    async def _link(self, request: Request) -> Response:
        kind = request.path_params["kind"]

        async def find() -> Found:
            asked = self._asked(request, kind)
            return None if asked is None or kind not in self._shelves else await self._shelves[kind](asked)

        return await self._answer(kind, find)

    async def _piece(self, request: Request) -> Response:
        kind, index, name = (request.path_params[part] for part in ("kind", "index", "name"))

        async def find() -> Found:
            asked = self._asked(request, kind)
            return None if asked is None else await self._library.piece(kind, asked, index, name)

        return await self._answer(kind, find)

    def _asked(self, request: Request, kind: str) -> Asked | None:
        id: UUID = request.path_params["id"]
        token = request.path_params["token"]
        session = self._visitors.session(kind, id, token)
        if session is None:
            return None
        update = request.query_params.get("_HLS_skip") in ("YES", "v2")
        return Asked(session, id, token, update=update, shared=USER_ID not in session.variables)

    async def _answer(self, kind: str, find: Callable[[], Awaitable[Found]]) -> Response:
        kind = kind if kind in self._shelves else "unknown"
        try:
            found = await find()
        except (StorageError, DatabaseError, GraphQLRefusal) as error:
            # A role's rule may name what no link says: then nobody sees anything by a link.
            if isinstance(error, GraphQLRefusal) and error.code == MISSING_VARIABLE:
                return self._told(kind, None)
            log.warning("media_unanswered", kind=kind, error=str(error))
            self._count(kind, "unanswered")
            return Response("Try again.\n", 503, {**HEADERS, "Retry-After": RETRY_AFTER}, "text/plain")
        return self._told(kind, found)

    def _told(self, kind: str, found: Found) -> Response:
        self._count(kind, "refused" if found is None else "served")
        return _response(found)


def _response(found: Found) -> Response:
    match found:
        case Text(body, content_type):
            return Response(body, headers={**HEADERS, "Content-Type": content_type})
        case Elsewhere(address):
            return Response(status_code=302, headers={**HEADERS, "Location": address})
    return not_found()


def not_found() -> Response:
    """The one answer for what is not there, or not for this person."""
    return Response("Not found.\n", 404, HEADERS, "text/plain")
