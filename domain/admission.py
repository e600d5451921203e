"""Who may be in a call's room at this moment: what a proxy in front of LiveKit's signalling asks for each connection."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.call_settings.consent import CONSENT_MISSING
from domain.calls.life_cycle import SEATED
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls


@dataclass(frozen=True, slots=True)
class Entrance:
    """One person at the door of one room."""

    room_name: str
    user_id: UUID


async def admitted(tx: Transaction, asking: Collection[Entrance]) -> frozenset[Entrance]:
    """Those of `asking` who may be in their room now: the call lives, they hold one of its seats, wait in no lobby, and agreed where asked.

    Exactly the people whom neither `participant_joined` nor, for want of consent, a timeout throws out again. A seat is given by an action,
    which asks the role's rule, so a person who was removed from the channel without ever having had one is refused here as everybody
    else. One statement for all of them.
    """
    rooms, people = [one.room_name for one in asking], [one.user_id for one in asking]
    at_door = (
        sa.func.unnest(sa.bindparam("rooms", rooms, pg.ARRAY(sa.Text)), sa.bindparam("people", people, pg.ARRAY(pg.UUID())))
        .table_valued(sa.column("room_name", sa.Text), sa.column("user_id", pg.UUID()))
        .render_derived(name="at_door")
    )
    inside = (
        sa.select(at_door.c.room_name, at_door.c.user_id)
        .join(calls, calls.c.room_name == at_door.c.room_name)
        .join(call_participants, sa.and_(call_participants.c.call_id == calls.c.id, call_participants.c.user_id == at_door.c.user_id))
        .where(calls.c.status != "ended", call_participants.c.status.in_(SEATED), call_participants.c.lobby_waiting_since.is_(None))
        .where(~CONSENT_MISSING)
    )
    return frozenset(Entrance(row.room_name, row.user_id) for row in await tx.connection.execute(inside))
