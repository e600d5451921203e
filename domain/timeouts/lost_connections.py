"""Calls that never got together, and calls that fell apart."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.calls.presence import settle
from domain.calls.repairs import Repair
from domain.ports import CallLimits
from domain.timeouts.due import Case, Timeout, end
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls


def _never_connected(now: datetime, limits: CallLimits) -> sa.Select[UUID]:
    starter_is_in = sa.exists().where(
        call_participants.c.call_id == calls.c.id,
        call_participants.c.user_id == calls.c.initiator_id,
        call_participants.c.status.in_(("connected", "disconnected")),
    )
    since = now - timedelta(seconds=limits.connecting_timeout)
    return (
        sa.select(calls.c.id)
        .where(calls.c.status == "connecting", calls.c.status_since <= since)
        .where(sa.or_(calls.c.channel_id.is_(None), ~starter_is_in))
        .order_by(calls.c.status_since)
    )


def _never_reconnected(now: datetime, limits: CallLimits) -> sa.Select[UUID]:
    since = now - timedelta(seconds=limits.reconnecting_timeout)
    return sa.select(calls.c.id).where(calls.c.status == "reconnecting", calls.c.status_since <= since).order_by(calls.c.status_since)


async def _fail(found: Case) -> Sequence[Repair] | None:
    return await end(found, "failed")


async def _give_up(found: Case) -> Sequence[Repair] | None:
    if await settle(found.tx, found.call, now=found.now):
        return []
    return await end(found, "network_error")


# connecting for 60 s → ended(`failed`); a channel's call waits as long as its starter is in.
NEVER_CONNECTED: Final[Timeout[Case]] = Timeout("connecting", _never_connected, _fail)
# reconnecting for 30 s → ended(`network_error`), unless whoever was missing has left and nobody is any more.
NEVER_RECONNECTED: Final[Timeout[Case]] = Timeout("reconnecting", _never_reconnected, _give_up)
