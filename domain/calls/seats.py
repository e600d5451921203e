"""The seats in a call: counted and taken under the call's lock, so that two can never take the last one."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from domain import push_outbox
from domain.calls import events
from domain.calls.access import CallAccess
from domain.calls.life_cycle import CallStep, move_call, move_participant
from domain.calls.rows import Call
from domain.errors import CallFull, NotAllowed
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.channels import channel_members


async def require_invited(access: CallAccess) -> None:
    """NotAllowed for one who has no row in the call and does not belong to its channel."""
    if access.me is None and not await _is_member(access):
        raise NotAllowed("You are not invited to this call.")


async def _is_member(access: CallAccess) -> bool:
    if access.call.channel_id is None:
        return False
    member = (channel_members.c.channel_id == access.call.channel_id, channel_members.c.user_id == access.user_id)
    found = await access.tx.connection.execute(sa.select(sa.literal(1)).select_from(channel_members).where(*member))
    return found.first() is not None


def require_seat(access: CallAccess) -> None:
    """CallFull unless the caller has a place or one is free. Taken: connecting, connected and disconnected."""
    others = [one for one in access.roster.seated if one.user_id != access.user_id]
    if len(others) >= access.call.max_participants:
        raise CallFull


async def take_seat(tx: Transaction, call: Call, participant_id: UUID, user_id: UUID, *, now: datetime) -> None:
    """invited, ringing or left → connecting with `call_accept`; the first to come takes a ringing call to `connecting`."""
    before = await move_participant(tx, participant_id, "connecting", now=now)
    if before is None:
        return
    if before == "ringing":
        await push_outbox.enqueue(tx, call.id, [user_id], "answered_elsewhere")
    await events.append(tx, call.id, "call_accept", user_id, {}, participant_id)
    if call.status == "ringing":
        await move_call(tx, call.id, CallStep("ringing", "connecting"), actor_id=user_id, now=now)


async def renew_seat(tx: Transaction, participant_id: UUID, now: datetime) -> None:
    """A new token for someone who is still connecting: the time in which the person has to arrive begins anew."""
    waiting = (call_participants.c.id == participant_id, call_participants.c.status == "connecting")
    await tx.connection.execute(sa.update(call_participants).where(*waiting).values(status_since=now))


async def await_connection(tx: Transaction, participant_id: UUID, now: datetime) -> None:
    """The person joins anew while connected: if the connection ends now, the person has not left.

    A reloaded page has its new token before LiveKit's word of the old connection's end is worked out.
    """
    connected = (call_participants.c.id == participant_id, call_participants.c.status == "connected")
    await tx.connection.execute(sa.update(call_participants).where(*connected).values(rejoining_since=now))
