"""Seats that lapse: taken and never used, or left by a lost connection for too long."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa

from domain.calls.leaving import leave
from domain.calls.life_cycle import LIVING, ParticipantStatus
from domain.calls.presence import settle
from domain.calls.repairs import RemoveParticipant, Repair, follow_up
from domain.calls.rows import lock_call, participant
from domain.timeouts.due_calls import Case, carry_through
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls

# A token that is used in its last second still needs time to connect.
CONNECTING_GRACE: Final = 60


async def never_joined(world: World) -> list[Sequence[Repair]]:
    """connecting without an arrival for the token's life and a minute → left(`never_joined`)."""
    return await _lapse(world, "connecting", timedelta(seconds=world.limits.token_ttl + CONNECTING_GRACE), "never_joined")


async def never_back(world: World) -> list[Sequence[Repair]]:
    """disconnected for 60 s → left(`network_error`)."""
    return await _lapse(world, "disconnected", timedelta(seconds=world.limits.disconnected_timeout), "network_error")


async def _lapse(world: World, status: ParticipantStatus, life: timedelta, reason: str) -> list[Sequence[Repair]]:
    since = world.clock.now() - life
    overdue = (
        sa.select(calls.c.id)
        .join(call_participants, call_participants.c.call_id == calls.c.id)
        .where(calls.c.status.in_(LIVING), call_participants.c.status == status, call_participants.c.status_since <= since)
        .group_by(calls.c.id)
        .order_by(sa.func.min(call_participants.c.status_since))
    )
    return await carry_through(world, reason, overdue, partial(_leave, status=status, life=life, reason=reason))


async def _leave(found: Case, *, status: ParticipantStatus, life: timedelta, reason: str) -> Sequence[Repair] | None:
    repairs: list[Repair] = []
    lapsed = [one for one in found.people.participants if one.status == status and one.status_since <= found.now - life]
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
