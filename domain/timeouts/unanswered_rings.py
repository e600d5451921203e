"""Rings that nobody answers."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from domain.calls import events
from domain.calls.ending import end_unanswered
from domain.calls.life_cycle import LIVING
from domain.calls.repairs import DeleteRoom, Repair
from domain.calls.ringing import end_ring
from domain.timeouts.due_calls import Case, carry_through
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls


async def unanswered(world: World) -> list[Sequence[Repair]]:
    """ringing longer than the call's `ring_timeout_seconds` → left(`missed`), also when others answered.

    The last ring of a ringing call ends it `no_answer`.
    """
    ring = sa.func.make_interval(0, 0, 0, 0, 0, 0, calls.c.ring_timeout_seconds)
    overdue = (
        sa.select(calls.c.id)
        .join(call_participants, call_participants.c.call_id == calls.c.id)
        .where(calls.c.status.in_(LIVING), call_participants.c.status == "ringing")
        .where(call_participants.c.status_since + ring <= world.clock.now())
        .group_by(calls.c.id)
        .order_by(sa.func.min(call_participants.c.status_since))
    )
    return await carry_through(world, "ringing", overdue, _miss)


async def _miss(found: Case) -> Sequence[Repair] | None:
    seconds = sa.select(calls.c.ring_timeout_seconds).where(calls.c.id == found.call.id)
    since = found.now - timedelta(seconds=(await found.tx.connection.execute(seconds)).scalar_one())
    overdue = [one for one in found.people.ringing if one.status_since <= since]
    for one in overdue:
        await end_ring(found.tx, one, "missed", now=found.now)
        await events.append(found.tx, found.call.id, "call_participant_left", None, {"reason": "missed"}, one.id)
    if await end_unanswered(found.tx, found.call, actor_id=None, now=found.now):
        return [DeleteRoom(found.call.room_name)]
    return [] if overdue else None
