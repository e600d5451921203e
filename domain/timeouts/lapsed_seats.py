"""Seats that lapse: taken and never used, or left by a lost connection for too long."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.leaving import leave
from domain.calls.life_cycle import LIVING, ParticipantStatus
from domain.calls.presence import settle
from domain.calls.repairs import RemoveParticipant, Repair, follow_up
from domain.calls.rows import lock_call, participant
from domain.ports import CallLimits
from domain.timeouts.due import Case, Timeout
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

# A token that is used in its last second still needs time to connect.
CONNECTING_GRACE: Final = 60
# How long somebody may stay in a state.
Life = Callable[[CallLimits], timedelta]


def _to_arrive(limits: CallLimits) -> timedelta:
    return timedelta(seconds=limits.token_ttl + CONNECTING_GRACE)


def _to_come_back(limits: CallLimits) -> timedelta:
    return timedelta(seconds=limits.disconnected_timeout)


def _lapsed(now: datetime, limits: CallLimits, *, status: ParticipantStatus, life: Life) -> sa.Select[UUID]:
    return (
        sa.select(calls.c.id)
        .join(call_participants, call_participants.c.call_id == calls.c.id)
        .where(calls.c.status.in_(LIVING), call_participants.c.status == status)
        .where(call_participants.c.status_since <= now - life(limits))
        .group_by(calls.c.id)
        .order_by(sa.func.min(call_participants.c.status_since))
    )


async def _leave(found: Case, *, status: ParticipantStatus, life: Life, reason: str) -> Sequence[Repair] | None:
    repairs: list[Repair] = []
    lapsed = [one for one in found.people.participants if one.status == status and one.status_since <= found.now - life(found.limits)]
    for person in lapsed:
        # Read again: who left just before may have made this one the host.
        one = await participant(found.tx, person.id)
        left = await leave(found.tx, found.call, one, reason, actor_id=None, now=found.now)
        if left.call_ended:
            return follow_up(found.call, left)
        repairs += [RemoveParticipant(found.call.room_name, one.identity), *follow_up(found.call, left)]
    current = await lock_call(found.tx, found.call.id)
    if current is not None:
        await settle(found.tx, current, now=found.now)
    return repairs or None


def _timeout(reason: str, status: ParticipantStatus, life: Life) -> Timeout[Case]:
    return Timeout(reason, partial(_lapsed, status=status, life=life), partial(_leave, status=status, life=life, reason=reason))


# connecting without an arrival for the token's life and a minute → left(`never_joined`).
NEVER_JOINED: Final = _timeout("never_joined", "connecting", _to_arrive)
# disconnected for 60 s → left(`network_error`).
NEVER_BACK: Final = _timeout("network_error", "disconnected", _to_come_back)
