"""`/calls/{id}.ics`: a planned call for a calendar, by a link that is signed as those to media are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.media.endpoint import HEADERS, RETRY_AFTER, Count, not_found
from app.media.links import LinkKey
from domain.calendar import PlannedCall, calendar, planned_call
from domain.ports import Clock
from domain.world import World
from permissions.errors import GraphQLRefusal
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)
PATH: Final = "/calls/{id:uuid}.ics"
# What its links are signed for, and the parameter that holds the signature.
KIND: Final = "calendar"
LINK: Final = "link"
CALENDAR: Final[Mapping[str, str]] = {
    **HEADERS,
    "Content-Type": "text/calendar; charset=utf-8",
    "Content-Disposition": 'attachment; filename="call.ics"',
}


class CalendarEndpoint:
    """One answer for all refusals, as for media. `page` makes the address of a call's page in the product."""

    def __init__(self, key: LinkKey, world: World, clock: Clock, page: Callable[[UUID], str], count: Count) -> None:
        self._key, self._world, self._clock, self._page, self._count = key, world, clock, page, count

    def routes(self) -> Sequence[BaseRoute]:
        return [Route(PATH, self._answer, methods=["GET"])]

    async def _answer(self, request: Request) -> Response:
        try:
            call = await self._call(request)
        except GraphQLRefusal:
            # The role's rule names something that the link does not say: then nobody sees it by a link.
            call = None
        except DatabaseError as error:
            log.warning("media_unanswered", kind=KIND, error=str(error))
            self._count(KIND, "unanswered")
            return Response("Try again.\n", 503, {**HEADERS, "Retry-After": RETRY_AFTER}, "text/plain")
        self._count(KIND, "refused" if call is None else "served")
        return not_found() if call is None else Response(calendar(call, self._page(call.id)), headers=CALENDAR)

    async def _call(self, request: Request) -> PlannedCall | None:
        id: UUID = request.path_params["id"]
        bearer = self._key.read(KIND, id, request.query_params.get(LINK, ""))
        if bearer is None or bearer.expires_at <= self._clock.now().timestamp():
            return None
        return await planned_call(self._world, bearer.session(), id)
