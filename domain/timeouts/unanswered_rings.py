"""Rings that nobody answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls import events
from domain.calls.ending import end_unanswered
from domain.calls.life_cycle import LIVING
from domain.calls.repairs import DeleteRoom, Repair
from domain.calls.ringing import end_ring
from domain.ports import CallLimits
from domain.timeouts.due import Case, Timeout
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls


def _unanswered(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    ring = sa.func.make_interval(0, 0, 0, 0, 0, 0, calls.c.ring_timeout_seconds)
    return (
        sa.select(calls.c.id)
        .join(call_participants, call_participants.c.call_id == calls.c.id)
        .where(calls.c.status.in_(LIVING), call_participants.c.status == "ringing")
        .where(call_participants.c.status_since + ring <= now)
        .group_by(calls.c.id)
        .order_by(sa.func.min(call_participants.c.status_since))
    )


async def _miss(found: Case) -> Sequence[Repair] | None:
    since = found.now - timedelta(seconds=found.call.ring_timeout_seconds)
    overdue = [one for one in found.people.ringing if one.status_since <= since]
    for one in overdue:
        await end_ring(found.tx, one, "missed", now=found.now)
        await events.append(found.tx, found.call.id, "call_participant_left", None, {"reason": "missed"}, one.id)
    if await end_unanswered(found.tx, found.call, actor_id=None, now=found.now):
        return [DeleteRoom(found.call.room_name)]
    return [] if overdue else None


# ringing longer than the call's `ring_timeout_seconds` → left(`missed`), also when others answered. The last ring of a ringing call ends it
# `no_answer`.
UNANSWERED: Final[Timeout[Case]] = Timeout("ringing", _unanswered, _miss)
