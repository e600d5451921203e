"""A call or a stream that was planned, as a calendar (RFC 5545) that phones and desktops take in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import CALLS
from domain.streams.access import STREAMS
from domain.world import World
from permissions.session import Session
from schema.tables.calls import calls
from schema.tables.channels import channels
from schema.tables.streams import streams
from schema.tables.users import users

# Octets of a line, its end not counted; what is longer goes on in the next, behind a space.
LINE: Final = 75
# An administrator may write what is in no calendar.
DAYS: Final = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """`summary` is what a calendar shows of it."""

    id: UUID
    summary: str
    scheduled_at: datetime
    changed_at: datetime
    cancelled: bool


async def planned_call(world: World, session: Session, call_id: UUID) -> CalendarEntry | None:
    """The call as this person may see it now; None for one without a time, and alike for one that is hidden or not there.

    It is with the people of its channel, or with whoever initiated a direct one.
    """
    whom = sa.func.coalesce(channels.c.name, users.c.display_name, users.c.username)
    summary = sa.func.initcap(sa.cast(calls.c.type, sa.Text)).concat(" call: ").concat(whom)
    cancelled = sa.func.coalesce(sa.cast(calls.c.end_reason, sa.Text) == "cancelled", False)
    found = (
        sa.select(calls.c.id, summary, calls.c.scheduled_at, calls.c.updated_at, cancelled)
        .join(users, users.c.id == calls.c.initiator_id)
        .outerjoin(channels, channels.c.id == calls.c.channel_id)
        .where(calls.c.id == call_id, calls.c.scheduled_at.between(*DAYS), world.readable(session, CALLS, calls))
    )
    return await _look(world, found)


async def planned_stream(world: World, session: Session, stream_id: UUID) -> CalendarEntry | None:
    """The same of a stream, by its title."""
    cancelled = streams.c.status == "cancelled"
    found = sa.select(streams.c.id, streams.c.title, streams.c.scheduled_at, streams.c.updated_at, cancelled).where(
        streams.c.id == stream_id, streams.c.scheduled_at.between(*DAYS), world.readable(session, STREAMS, streams)
    )
    return await _look(world, found)


def calendar(planned: CalendarEntry, url: str) -> bytes:
    """One event that begins when it is meant to; `url` is its page in the product."""
    return "".join(f"{line}\r\n" for text in _lines(planned, url) for line in _folded(text)).encode()


async def _look(world: World, found: sa.Select[Any]) -> CalendarEntry | None:
    async with world.transaction("calendar.look") as tx:
        row = (await tx.connection.execute(found)).first()
    return None if row is None else CalendarEntry(*row)


def _lines(planned: CalendarEntry, url: str) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//nchat//nchat-rtc//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "BEGIN:VEVENT")
    yield f"UID:{planned.id}"
    yield f"DTSTAMP:{_moment(planned.changed_at)}"
    yield f"DTSTART:{_moment(planned.scheduled_at)}"
    yield f"SUMMARY:{_escaped(planned.summary)}"
    yield f"STATUS:{'CANCELLED' if planned.cancelled else 'CONFIRMED'}"
    yield f"URL:{url}"
    yield from ("END:VEVENT", "END:VCALENDAR")


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    """As a value of type TEXT; other control characters have no place in one."""
    return "".join(one for one in text.translate(ESCAPED) if one.isprintable())


def _folded(text: str) -> Iterator[str]:
    """The lines of a content line; no character is cut in two."""
    line, size = "", 0
    for one in text:
        octets = len(one.encode())
        if size + octets > LINE:
            yield line
            line, size = " ", 1
        line, size = line + one, size + octets
    yield line
