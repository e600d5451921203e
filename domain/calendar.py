"""A call that was planned, as a calendar (RFC 5545) that phones and desktops take in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import CALLS
from domain.world import World
from permissions.session import Session
from schema.tables.calls import calls
from schema.tables.channels import channels
from schema.tables.users import users

# Octets of a line, its end not counted; what is longer goes on in the next, behind a space.
LINE: Final = 75
# An administrator may write what is in no calendar.
DAYS: Final = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """`with_whom` is the channel's name, or of a direct call its initiator's."""

    id: UUID
    kind: str
    with_whom: str
    scheduled_at: datetime
    changed_at: datetime
    cancelled: bool


async def planned_call(world: World, session: Session, call_id: UUID) -> PlannedCall | None:
    """The call as this person may see it now; None for one without a time, and alike for one that is hidden or not there."""
    whom = sa.func.coalesce(channels.c.name, users.c.display_name, users.c.username)
    cancelled = sa.func.coalesce(sa.cast(calls.c.end_reason, sa.Text) == "cancelled", False)
    found = (
        sa.select(calls.c.id, calls.c.type, whom, calls.c.scheduled_at, calls.c.updated_at, cancelled)
        .join(users, users.c.id == calls.c.initiator_id)
        .outerjoin(channels, channels.c.id == calls.c.channel_id)
        .where(calls.c.id == call_id, calls.c.scheduled_at.between(*DAYS), world.readable(session, CALLS, calls))
    )
    async with world.transaction("calendar.look") as tx:
        row = (await tx.connection.execute(found)).first()
    return None if row is None else PlannedCall(*row)


def calendar(call: PlannedCall, url: str) -> bytes:
    """One event that begins when the call is meant to ring; `url` is the call's page in the product."""
    return "".join(f"{line}\r\n" for text in _lines(call, url) for line in _folded(text)).encode()


def _lines(call: PlannedCall, url: str) -> Iterator[str]:
    yield from ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//nchat//nchat-rtc//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH", "BEGIN:VEVENT")
    yield f"UID:{call.id}"
    yield f"DTSTAMP:{_moment(call.changed_at)}"
    yield f"DTSTART:{_moment(call.scheduled_at)}"
    yield f"SUMMARY:{_escaped(f'{call.kind.capitalize()} call: {call.with_whom}')}"
    yield f"STATUS:{'CANCELLED' if call.cancelled else 'CONFIRMED'}"
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
