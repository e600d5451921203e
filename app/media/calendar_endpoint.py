"""`/calls/{id}.ics` and `/streams/{id}.ics`: what is planned, for a calendar, by a link that is signed as those to media are."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.media.endpoint import HEADERS, RETRY_AFTER, Count, not_found
from app.media.links import LinkKey
from domain.calendar import CalendarEntry, calendar, planned_call, planned_stream
from domain.ports import Clock
from domain.world import World
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)
# The parameter that holds the signature.
LINK: Final = "link"
CALENDAR: Final[Mapping[str, str]] = {**HEADERS, "Content-Type": "text/calendar; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Planning:
    """What is planned: its noun, of which the path has many; what its links are signed for; and how it is found."""

    noun: str
    kind: str
    find: Callable[[World, Session, UUID], Awaitable[CalendarEntry | None]]

    @property
    def path(self) -> str:
        return f"/{self.noun}s/{{id:uuid}}.ics"

    def response(self, planned: CalendarEntry, url: str) -> Response:
        """A file that a browser saves."""
        return Response(calendar(planned, url), headers={**CALENDAR, "Content-Disposition": f'attachment; filename="{self.noun}.ics"'})


PLANNINGS: Final = (Planning("call", "calendar", planned_call), Planning("stream", "stream_calendar", planned_stream))
# The address of the page in the product where something of a noun is.
Page = Callable[[str, UUID], str]


class CalendarEndpoint:
    """One answer for all refusals, as for media."""

    def __init__(self, key: LinkKey, world: World, clock: Clock, page: Page, count: Count) -> None:
        self._key, self._world, self._clock, self._page, self._count = key, world, clock, page, count

    def routes(self) -> Sequence[BaseRoute]:
        return [Route(one.path, partial(self._answer, one), methods=["GET"]) for one in PLANNINGS]

    async def _answer(self, planning: Planning, request: Request) -> Response:
        try:
            planned = await self._planned(planning, request)
        except GraphQLRefusal:
            # The role's rule names something that the link does not say: then nobody sees it by a link.
            planned = None
        except DatabaseError as error:
            log.warning("media_unanswered", kind=planning.kind, error=str(error))
            self._count(planning.kind, "unanswered")
            return Response("Try again.\n", 503, {**HEADERS, "Retry-After": RETRY_AFTER}, "text/plain")
        self._count(planning.kind, "refused" if planned is None else "served")
        return not_found() if planned is None else planning.response(planned, self._page(planning.noun, planned.id))

    async def _planned(self, planning: Planning, request: Request) -> CalendarEntry | None:
        id: UUID = request.path_params["id"]
        bearer = self._key.read(planning.kind, id, request.query_params.get(LINK, ""))
        if bearer is None or bearer.expires_at <= self._clock.now().timestamp():
            return None
        return await planning.find(self._world, bearer.session(), id)
