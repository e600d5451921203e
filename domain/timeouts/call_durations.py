"""Calls that last too long, and calls that never begin."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.life_cycle import LIVING
from domain.calls.repairs import Repair
from domain.ports import CallLimits
from domain.timeouts.due import Case, Timeout, end
from schema.tables.calls import calls

SCHEDULED_LIFE: Final = timedelta(hours=24)
UNSCHEDULED_LIFE: Final = timedelta(minutes=10)


def _too_long(now: datetime, limits: CallLimits) -> sa.Select[UUID]:
    began = sa.func.coalesce(calls.c.connected_at, calls.c.started_at)
    since = now - timedelta(seconds=limits.max_duration)
    return sa.select(calls.c.id).where(calls.c.status.in_(LIVING), began <= since).order_by(began)


def _never_started(now: datetime, _limits: CallLimits) -> sa.Select[UUID]:
    scheduled = calls.c.scheduled_at <= now - SCHEDULED_LIFE
    unscheduled = sa.and_(calls.c.scheduled_at.is_(None), calls.c.created_at <= now - UNSCHEDULED_LIFE)
    waits = sa.select(calls.c.id).where(calls.c.status == "initiated", sa.or_(scheduled, unscheduled))
    return waits.order_by(calls.c.created_at)


async def _end_too_long(found: Case) -> Sequence[Repair] | None:
    return await end(found, "timeout")


async def _cancel(found: Case) -> Sequence[Repair] | None:
    return await end(found, "cancelled")


# Running longer than the limit, from the first connection or else the first ring → ended(`timeout`).
TOO_LONG: Final[Timeout[Case]] = Timeout("duration", _too_long, _end_too_long, every=5.0)
# initiated 24 h past `scheduled_at`, or 10 min without one → ended(`cancelled`).
NEVER_STARTED: Final[Timeout[Case]] = Timeout("start", _never_started, _cancel, every=5.0)
