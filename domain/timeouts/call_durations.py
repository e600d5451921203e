"""Calls that last too long, and calls that never begin."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from domain.calls.life_cycle import LIVING
from domain.calls.repairs import Repair
from domain.timeouts.due_calls import Case, carry_through, end
from domain.world import World
from schema.tables.calls import calls

SCHEDULED_LIFE: Final = timedelta(hours=24)
UNSCHEDULED_LIFE: Final = timedelta(minutes=10)


async def too_long(world: World) -> list[Sequence[Repair]]:
    """Running longer than the limit, from the first connection or else the first ring → ended(`timeout`)."""
    since = world.clock.now() - timedelta(seconds=world.limits.max_duration)
    began = sa.func.coalesce(calls.c.connected_at, calls.c.started_at)
    overdue = sa.select(calls.c.id).where(calls.c.status.in_(LIVING), began <= since).order_by(began)

    async def decide(found: Case) -> Sequence[Repair] | None:
        return await end(found, "timeout")

    return await carry_through(world, "duration", overdue, decide)


async def never_started(world: World) -> list[Sequence[Repair]]:
    """initiated 24 h past `scheduled_at`, or 10 min without one → ended(`cancelled`)."""
    now = world.clock.now()
    scheduled = calls.c.scheduled_at <= now - SCHEDULED_LIFE
    unscheduled = sa.and_(calls.c.scheduled_at.is_(None), calls.c.created_at <= now - UNSCHEDULED_LIFE)
    overdue = sa.select(calls.c.id).where(calls.c.status == "initiated", sa.or_(scheduled, unscheduled)).order_by(calls.c.created_at)

    async def decide(found: Case) -> Sequence[Repair] | None:
        return await end(found, "cancelled") if found.call.status == "initiated" else None

    return await carry_through(world, "start", overdue, decide)
