"""`callEvents`: the events of one call after a cursor, without a gap, for as long as the person may see them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final, cast
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import CALLS
from domain.errors import NotFound, ParticipantKicked
from domain.feeds.people import Person, columns, moment, person
from domain.ports import Payload
from domain.world import World
from permissions.session import Session
from schema.model import TableName
from schema.tables.call_events import call_counters, call_events
from schema.tables.calls import calls
from schema.tables.users import users

CALL_EVENTS: Final = TableName("public", call_events.name)
PAGE: Final = 200
# A right that is lost without a hint (a foreign program removed the person from the channel) is noticed this soon.
LOOK_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class CallEvent:
    seq: int
    kind: str
    call_id: UUID
    actor: Person | None
    participant_id: UUID | None
    payload: Payload
    created_at: str


@dataclass(frozen=True, slots=True)
class _Page:
    """`cursor` is the last seq the person has after taking `events`."""

    events: Sequence[CallEvent]
    cursor: int

    @property
    def full(self) -> bool:
        return len(self.events) == PAGE


async def follow_call(world: World, session: Session, call_id: UUID, after: int | None) -> AsyncGenerator[CallEvent, None]:
    """The events with a seq above `after` (None: those from now on), in order, each once; it ends only by an error.

    NotFound: no such call, or not (any more) visible; ParticipantKicked: visible, but its feed no longer is.
    """
    async with world.hub.follow([f"call:{call_id}"]) as following:
        while True:
            page = await _look(world, session, call_id, after)
            fresh_until = asyncio.get_running_loop().time() + LOOK_EVERY
            after = page.cursor
            for event in page.events:
                yield event
                if asyncio.get_running_loop().time() > fresh_until:
                    # Taken slowly: the right may be gone by now. A cursor can stop anywhere and look again.
                    after = event.seq
                    break
            else:
                if not page.full:
                    await following.changed(LOOK_EVERY)


async def _look(world: World, session: Session, call_id: UUID, after: int | None) -> _Page:
    """One statement, so that the right and the events are of one moment."""
    async with world.transaction("call_events.look") as tx:
        rows = (await tx.connection.execute(_statement(world, session, call_id, after))).mappings().all()
    if not rows or not rows[0]["visible"]:
        raise NotFound
    if not rows[0]["readable"]:
        raise ParticipantKicked
    events = [_event(call_id, row) for row in rows if row["seq"] is not None]
    known = cast(int, rows[0]["head"]) if after is None else after
    return _Page(events, events[-1].seq if events else known)


def _statement(world: World, session: Session, call_id: UUID, after: int | None) -> sa.Select[tuple[object, ...]]:
    door = _door(world, session, call_id)
    cursor = door.c.head if after is None else sa.literal(after, sa.BigInteger)
    page = (
        sa.select(
            *(call_events.c[name] for name in ("seq", "kind", "payload")),
            moment(call_events.c.created_at).label("created_at"),
            *columns("actor"),
        )
        .select_from(call_events.outerjoin(users, users.c.id == call_events.c.actor_id))
        .where(call_events.c.call_id == call_id, call_events.c.seq > cursor, door.c.readable)
        .order_by(call_events.c.seq)
        .limit(PAGE)
        .lateral("page")
    )
    return sa.select(door, page).select_from(door.outerjoin(page, sa.true())).order_by(page.c.seq)


def _door(world: World, session: Session, call_id: UUID) -> sa.CTE:
    """One row: whether the person sees the call, whether its events, and the last seq. No row: no such call.

    The rule on events is asked for an event of this call that need not exist: a call without events has a right too.
    """
    probe = sa.select(
        *(sa.literal(call_id, column.type).label(column.name) if column.name == "call_id" else sa.null().label(column.name)
          for column in call_events.c)
    ).subquery("probe")  # fmt: skip
    visible = sa.select(sa.literal(1)).where(calls.c.id == call_id, world.readable(session, CALLS, calls)).exists()
    may_read = sa.select(sa.literal(1)).select_from(probe).where(world.readable(session, CALL_EVENTS, probe)).exists()
    return (
        sa.select(visible.label("visible"), may_read.label("readable"), call_counters.c.event_seq.label("head"))
        .where(call_counters.c.call_id == call_id)
        .cte("door")
    )


def _event(call_id: UUID, row: sa.RowMapping) -> CallEvent:
    about = row["payload"].get("participantId")
    return CallEvent(
        seq=row["seq"],
        kind=row["kind"],
        call_id=call_id,
        actor=person(row, "actor"),
        participant_id=None if about is None else UUID(about),
        payload=row["payload"],
        created_at=row["created_at"],
    )
