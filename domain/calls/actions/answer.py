"""Answering a ring: accepting and declining it, and taking it back."""

from typing import Literal
from uuid import UUID

from domain.calls import events
from domain.calls.access import CallAccess, access_call
from domain.calls.actions.results import CallResult, ParticipantResult, TicketResult
from domain.calls.ending import close_room_or_leave_it, end_for_all, end_unanswered
from domain.calls.leaving import after_departures, leave_elsewhere
from domain.calls.ringing import end_ring
from domain.calls.rows import Participant
from domain.calls.seats import require_seat, take_seat
from domain.calls.tickets import issue
from domain.errors import AnsweredElsewhere, NotAllowed, NotRinging
from domain.world import World
from permissions.session import Session

DeclineReason = Literal["declined", "busy"]


async def accept_call(world: World, session: Session, call_id: UUID) -> TicketResult:
    """The ringing caller comes in; the person's other devices fall silent (`answered_elsewhere`), and a call held elsewhere is left.

    Refuses with NotRinging, AnsweredElsewhere (another device of the same person was faster), CallFull, ConsentNeeded, RateLimited.
    """
    await world.limiter.hit("token", str(session.user_id))
    async with world.transaction("accept_call.write") as tx:
        access = await access_call(tx, world, session, call_id, entering=True)
        me = _ringing(access)
        require_seat(access)
        await take_seat(tx, access.call, me.id, me.user_id, now=access.now)
        departures = await leave_elsewhere(tx, access.elsewhere, me.user_id, access.now)
        accepted = TicketResult(call_id, me.id, await issue(tx, world, access.call, me))
    await after_departures(world, departures)
    return accepted


async def decline_call(world: World, session: Session, call_id: UUID, reason: DeclineReason = "declined") -> ParticipantResult:
    """The ringing caller says no; when nobody is left who could say yes, the call ends `declined` (`busy` if all were busy)."""
    async with world.transaction("decline_call.write") as tx:
        access = await access_call(tx, world, session, call_id)
        me = _ringing(access)
        await end_ring(tx, me, reason, now=access.now)
        await events.append(tx, call_id, "call_decline", me.user_id, {"reason": reason}, me.id)
        ended = await end_unanswered(tx, access.call, actor_id=me.user_id, now=access.now)
    if ended:
        await close_room_or_leave_it(world, access.call.room_name)
    return ParticipantResult(call_id, me.id, ended)


async def cancel_call(world: World, session: Session, call_id: UUID) -> CallResult:
    """The initiator takes the call back before anybody was connected; NotAllowed for others and later."""
    async with world.transaction("cancel_call.write") as tx:
        access = await access_call(tx, world, session, call_id)
        if access.user_id != access.call.initiator_id:
            raise NotAllowed("Only who started the call can cancel it.")
        if access.call.status not in ("initiated", "ringing", "connecting"):
            raise NotAllowed("The call is connected; end it instead.")
        await events.append(tx, call_id, "call_cancelled", access.user_id, {})
        await end_for_all(tx, access.call, "cancelled", actor_id=access.user_id, now=access.now)
    await close_room_or_leave_it(world, access.call.room_name)
    return CallResult(call_id)


def _ringing(access: CallAccess) -> Participant:
    me = access.me
    if me is not None and me.status == "ringing":
        return me
    # The caller's own phone never rang.
    if me is not None and me.seated and me.user_id != access.call.initiator_id:
        raise AnsweredElsewhere
    raise NotRinging
