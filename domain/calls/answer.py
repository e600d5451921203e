"""Answering a ring: accepting and declining it, and taking it back."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from domain import events
from domain.calls.access import Entered, enter
from domain.calls.ending import close_room, end_call, end_ring, end_unanswered
from domain.calls.rows import Participant
from domain.calls.seats import require_seat, take_seat
from domain.calls.tickets import Ticket, issue
from domain.errors import AnsweredElsewhere, NotAllowed, NotRinging
from domain.world import World
from permissions.session import Session

DeclineReason = Literal["declined", "busy"]


@dataclass(frozen=True, slots=True)
class AcceptCall:
    call_id: UUID
    participant_id: UUID
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class DeclineCall:
    call_id: UUID
    participant_id: UUID
    call_ended: bool


@dataclass(frozen=True, slots=True)
class CancelCall:
    call_id: UUID


async def accept_call(world: World, session: Session, call_id: UUID) -> AcceptCall:
    """The ringing caller comes in; the person's other devices fall silent (`answered_elsewhere`).

    Refuses with NotRinging, AnsweredElsewhere (another device of the same person was faster), CallFull, RateLimited.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("accept_call.write") as tx:
        door = await enter(tx, world, session, call_id)
        me = _ringing(door)
        require_seat(door)
        await take_seat(tx, door.call, me.id, me.user_id, now=door.now)
        return AcceptCall(call_id, me.id, await issue(tx, world, door.call, me))


async def decline_call(world: World, session: Session, call_id: UUID, reason: DeclineReason = "declined") -> DeclineCall:
    """The ringing caller says no; when nobody is left who could say yes, the call ends `declined` (`busy` if all were busy)."""
    async with world.transaction("decline_call.write") as tx:
        door = await enter(tx, world, session, call_id)
        me = _ringing(door)
        await end_ring(tx, me, reason, now=door.now)
        await events.append(tx, call_id, "call_decline", me.user_id, {"reason": reason}, me.id)
        ended = await end_unanswered(tx, door.call, actor_id=me.user_id, now=door.now)
    if ended:
        await close_room(world, door.call.room_name)
    return DeclineCall(call_id, me.id, ended)


async def cancel_call(world: World, session: Session, call_id: UUID) -> CancelCall:
    """The initiator takes the call back before anybody was connected; NotAllowed for others and later."""
    async with world.transaction("cancel_call.write") as tx:
        door = await enter(tx, world, session, call_id)
        if door.user_id != door.call.initiator_id:
            raise NotAllowed("Only who started the call can cancel it.")
        if door.call.status not in ("initiated", "ringing", "connecting"):
            raise NotAllowed("The call is connected; end it instead.")
        await events.append(tx, call_id, "call_cancelled", door.user_id, {})
        await end_call(tx, door.call, "cancelled", actor_id=door.user_id, now=door.now)
    await close_room(world, door.call.room_name)
    return CancelCall(call_id)


def _ringing(door: Entered) -> Participant:
    me = door.me
    if me is not None and me.status == "ringing":
        return me
    # The caller's own phone never rang.
    if me is not None and me.seated and me.user_id != door.call.initiator_id:
        raise AnsweredElsewhere
    raise NotRinging
