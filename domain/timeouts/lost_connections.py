"""Calls that never got together, and calls that fell apart."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from domain.calls.presence import settle
from domain.calls.repairs import Repair
from domain.timeouts.due_calls import Case, carry_through, end
from domain.world import World
from schema.tables.call_participants import call_participants
from schema.tables.calls import calls


async def never_connected(world: World) -> list[Sequence[Repair]]:
    """connecting for 60 s → ended(`failed`); a channel's call waits as long as its starter is in."""
    since = world.clock.now() - timedelta(seconds=world.limits.connecting_timeout)
    starter_is_in = sa.exists().where(
        call_participants.c.call_id == calls.c.id,
        call_participants.c.user_id == calls.c.initiator_id,
        call_participants.c.status.in_(("connected", "disconnected")),
    )
    overdue = (
        sa.select(calls.c.id)
        .where(calls.c.status == "connecting", calls.c.status_since <= since)
        .where(sa.or_(calls.c.channel_id.is_(None), ~starter_is_in))
        .order_by(calls.c.status_since)
    )

    async def decide(found: Case) -> Sequence[Repair] | None:
        starter = found.people.of_user(found.call.initiator_id)
        waits = found.call.channel_id is not None and starter is not None and starter.status in ("connected", "disconnected")
        if found.call.status != "connecting" or found.call.status_since > since or waits:
            return None
        return await end(found, "failed")

    return await carry_through(world, "connecting", overdue, decide)


async def never_reconnected(world: World) -> list[Sequence[Repair]]:
    """reconnecting for 30 s → ended(`network_error`), unless whoever was missing has left and nobody is any more."""
    since = world.clock.now() - timedelta(seconds=world.limits.reconnecting_timeout)
    overdue = sa.select(calls.c.id).where(calls.c.status == "reconnecting", calls.c.status_since <= since).order_by(calls.c.status_since)

    async def decide(found: Case) -> Sequence[Repair] | None:
        if found.call.status != "reconnecting" or found.call.status_since > since:
            return None
        if await settle(found.tx, found.call, now=found.now):
            return []
        return await end(found, "network_error")

    return await carry_through(world, "reconnecting", overdue, decide)
