"""Asking for the floor: a hand that goes up, and down again."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.access import access_call
from domain.calls.actions.results import ParticipantResult
from domain.world import World
from permissions.session import Session
from schema.tables.call_participants import call_participants


async def raise_hand(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """The caller's hand goes up; one that is up stays since when it was raised. NotAllowed for one who is not in the call."""
    return await _move(world, session, call_id, up=True)


async def lower_hand(world: World, session: Session, call_id: UUID) -> ParticipantResult:
    """The caller's hand goes down; one that is down stays so. NotAllowed for one who is not in the call."""
    return await _move(world, session, call_id, up=False)


async def _move(world: World, session: Session, call_id: UUID, *, up: bool) -> ParticipantResult:
    column = call_participants.c.hand_raised_at
    async with world.transaction("hand.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = access.seated()
        since: datetime | None = access.now if up else None
        otherwise = column.is_(None) if up else column.is_not(None)
        moved = sa.update(call_participants).where(call_participants.c.id == me.id, otherwise).values(hand_raised_at=since)
        if (await tx.connection.execute(moved.returning(call_participants.c.id))).first() is not None:
            events.changed(tx, call_id)
            await events.append(tx, call_id, "hand_raised" if up else "hand_lowered", me.user_id, {}, me.id)
        return ParticipantResult(call_id, me.id)
