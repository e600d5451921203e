"""`/embed/{id}`, and what the page asks for by itself."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.embed.document import document
from app.embed.headers import PLAIN
from app.embed.showing import AWAY, Showing, showing
from app.media.links import STREAM
from app.media.visitors import Visitors
from domain.recordings.playing.addresses import UNSIGNED
from domain.recordings.playing.visible import Visible
from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)
FILES: Final = Path(__file__).parent / "files"
TYPES: Final[Mapping[str, str]] = {
    "hls.light.min.js": "text/javascript",
    "hls.LICENSE": "text/plain",
    "player.js": "text/javascript",
    "player.css": "text/css",
}
# A newer version of the service is seen within so many seconds.
KEPT_FOR: Final = 600
# The parameter that holds what signs a `playback_url`.
LINK: Final = "link"
MISSING_VARIABLE: Final = "not-found"


class EmbedPages:
    """The page of each stream. Whoever brings no link sees what those see who have no token; all refusals are alike."""

    def __init__(self, visitors: Visitors, visible: Visible, headers: Mapping[str, str]) -> None:
        self._visitors, self._visible, self._headers = visitors, visible, headers

    def routes(self) -> Sequence[BaseRoute]:
        files = [Route(f"/embed/{name}", partial(_file, name), methods=["GET"]) for name in TYPES]
        pages = {"/embed/{id:uuid}": self._page, "/embed/{id:uuid}/showing": self._look}
        return [*files, *(Route(path, answer, methods=["GET"]) for path, answer in pages.items())]

    async def _page(self, request: Request) -> Response:
        (shown, token), given = await self._shown(request), _token(request)
        id: UUID = request.path_params["id"]
        again = "" if given == UNSIGNED else f"?{LINK}={quote(given)}"
        body = document(shown, look=f"{id}/showing{again}", playlist=_playlist(id, token) if shown.plays else "")
        return Response(body, shown.http_status, self._headers, "text/html")

    async def _look(self, request: Request) -> Response:
        shown, token = await self._shown(request)
        playlist = _playlist(request.path_params["id"], token) if shown.plays else ""
        told = {"showing": shown.state, "sentence": shown.sentence, "playlist": playlist}
        return JSONResponse(told, shown.http_status, self._headers)

    async def _shown(self, request: Request) -> tuple[Showing, str]:
        """And the link by which it may be seen: one that has expired is as none."""
        id, token = request.path_params["id"], _token(request)
        session = self._visitors.session(STREAM, id, token)
        if session is None:
            token = UNSIGNED
            session = self._visitors.session(STREAM, id, token)
        try:
            return showing(None if session is None else await self._visible.stream(session, id)), token
        except (DatabaseError, GraphQLRefusal) as error:
            # A role's rule may name what no link says: then nobody sees anything by a link.
            if isinstance(error, GraphQLRefusal) and error.code == MISSING_VARIABLE:
                return showing(None), token
            log.warning("embed_unanswered", error=str(error))
            return AWAY, token


def _token(request: Request) -> str:
    return request.query_params.get(LINK) or UNSIGNED


def _playlist(id: UUID, token: str) -> str:
    """As the page's own address sees it, whatever stands before both."""
    return f"../media/{STREAM}/{id}/{quote(token)}"


async def _file(name: str, _request: Request) -> Response:
    headers = {**PLAIN, "Cache-Control": f"public, max-age={KEPT_FOR}"}
    return FileResponse(FILES / name, headers=headers, media_type=TYPES[name])
