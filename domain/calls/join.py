"""Coming into a call that runs, and a fresh token for who is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from domain.calls.access import Entered, enter
from domain.calls.ringing import invite
from domain.calls.rows import Participant, participant, roster
from domain.calls.seats import await_connection, renew_seat, require_seat, take_seat
from domain.calls.tickets import Ticket, issue
from domain.errors import NotAllowed
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.channels import channel_members


@dataclass(frozen=True, slots=True)
class JoinCall:
    """`participant_ids` are all participants of the call, the caller among them, longest in the call first."""

    call_id: UUID
    participant_id: UUID
    ticket: Ticket
    participant_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class RefreshCallToken:
    call_id: UUID
    participant_id: UUID
    ticket: Ticket


async def join_call(world: World, session: Session, call_id: UUID) -> JoinCall:
    """The caller comes in: ringing counts as accepting, being in it already moves the call to this device.

    For who was invited and for members of the call's channel (NotAllowed for others). Refuses with CallNotStarted, CallFull, RateLimited.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("join_call.write") as tx:
        door = await enter(tx, world, session, call_id)
        door.require_started()
        if door.me is None and not await _is_member(tx, door):
            raise NotAllowed("You are not invited to this call.")
        require_seat(door)
        me = await _seat(tx, door)
        ids = [one.id for one in (await roster(tx, call_id)).participants]
        return JoinCall(call_id, me.id, await issue(tx, world, door.call, me), ids)


async def refresh_call_token(world: World, session: Session, call_id: UUID) -> RefreshCallToken:
    """A fresh ticket for a caller who is in the call. Refuses with NotAllowed, RateLimited."""
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("refresh_call_token.write") as tx:
        door = await enter(tx, world, session, call_id)
        me = door.seated()
        await renew_seat(tx, me.id, door.now)
        return RefreshCallToken(call_id, me.id, await issue(tx, world, door.call, me))


async def _seat(tx: Transaction, door: Entered) -> Participant:
    if door.me is not None and door.me.seated:
        await renew_seat(tx, door.me.id, door.now)
        await await_connection(tx, door.me.id, door.now)
        return door.me
    participant_id = door.me.id if door.me else (await invite(tx, door.call.id, [door.user_id], door.now))[0]
    await take_seat(tx, door.call, participant_id, door.user_id, now=door.now)
    return await participant(tx, participant_id)


async def _is_member(tx: Transaction, door: Entered) -> bool:
    if door.call.channel_id is None:
        return False
    member = (channel_members.c.channel_id == door.call.channel_id, channel_members.c.user_id == door.user_id)
    return (await tx.connection.execute(sa.select(sa.literal(1)).select_from(channel_members).where(*member))).first() is not None
