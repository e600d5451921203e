"""`incomingCalls`: the rings of one person, found by comparing what rings now with what rang at the last look."""

from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import CALLS
from domain.calls.rows import CallType
from domain.feeds.people import Person, columns, moment, person
from domain.world import World
from permissions.session import Session
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls
from schema.tables.users import users

IncomingKind = Literal["incoming", "cancelled", "answered_elsewhere", "missed"]
LOOK_EVERY: Final = 1.0

_ANSWERED: Final = ("connecting", "connected", "disconnected")


@dataclass(frozen=True, slots=True)
class IncomingCall:
    kind: IncomingKind
    call_id: UUID
    type: CallType
    channel_id: UUID | None
    caller: Person | None
    ring_expires_at: str


@dataclass(frozen=True, slots=True)
class _Ring:
    """`since` tells two rings of the same call apart."""

    since: datetime
    call: IncomingCall


@dataclass(frozen=True, slots=True)
class _Sight:
    """The person's rings at one moment, and how those of the last look ended, by call."""

    open: Mapping[UUID, _Ring]
    ended: Mapping[UUID, IncomingKind]


async def follow_rings(world: World, session: Session) -> AsyncGenerator[IncomingCall, None]:
    """First the rings that are open now, then each new one and how each ended; a second ring of a call is `incoming` again.

    The state is the truth: a hint that is lost, or a slow client, leaves out nothing that still matters.
    """
    user_id = session.user_id
    known: Mapping[UUID, _Ring] = {}
    async with world.hub.follow([f"user:{user_id}"]) as following:
        while True:
            sight = await _look(world, session, user_id, known)
            for event in _differences(known, sight):
                yield event
            known = sight.open
            await following.changed(LOOK_EVERY)


def _differences(known: Mapping[UUID, _Ring], sight: _Sight) -> Iterator[IncomingCall]:
    for call_id, ring in known.items():
        now = sight.open.get(call_id)
        if now is None or now.since != ring.since:
            yield _ended(ring.call, sight.ended.get(call_id, "cancelled"))
    for call_id, ring in sight.open.items():
        before = known.get(call_id)
        if before is None or before.since != ring.since:
            yield ring.call


def _ended(ring: IncomingCall, kind: IncomingKind) -> IncomingCall:
    return IncomingCall(kind, ring.call_id, ring.type, ring.channel_id, ring.caller, ring.ring_expires_at)


async def _look(world: World, session: Session, user_id: UUID, known: Mapping[UUID, _Ring]) -> _Sight:
    async with world.transaction("incoming_calls.look") as tx:
        rows = (await tx.connection.execute(_statement(world, session, user_id, known))).mappings().all()
    ringing = {row["call_id"]: _Ring(row["status_since"], _incoming(row)) for row in rows if row["status"] == "ringing"}
    return _Sight(ringing, {row["call_id"]: _end_of(row) for row in rows if row["status"] != "ringing"})


def _statement(world: World, session: Session, user_id: UUID, known: Mapping[UUID, _Ring]) -> sa.Select[tuple[object, ...]]:
    mine = call_participants
    ring = sa.func.make_interval(0, 0, 0, 0, 0, 0, calls.c.ring_timeout_seconds)
    return (
        sa.select(
            *(mine.c[name] for name in ("call_id", "status", "status_since", "leave_reason")),
            *(calls.c[name] for name in ("type", "channel_id")),
            moment(mine.c.status_since + ring).label("ring_expires_at"),
            *columns("caller"),
        )
        .select_from(mine.join(calls, calls.c.id == mine.c.call_id).join(users, users.c.id == calls.c.initiator_id))
        .where(mine.c.user_id == user_id, sa.or_(mine.c.status == "ringing", mine.c.call_id.in_(known)))
        .where(world.readable(session, CALLS, calls))
        .order_by(mine.c.status_since, mine.c.call_id)
    )


def _incoming(row: sa.RowMapping) -> IncomingCall:
    return IncomingCall("incoming", row["call_id"], row["type"], row["channel_id"], person(row, "caller"), row["ring_expires_at"])


def _end_of(row: sa.RowMapping) -> IncomingKind:
    if row["status"] in _ANSWERED:
        return "answered_elsewhere"
    return "missed" if row["status"] == "left" and row["leave_reason"] == "missed" else "cancelled"
