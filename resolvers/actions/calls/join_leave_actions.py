"""Actions of coming and going: joinCall, refreshCallToken, leaveCall, endCall."""

from domain.calls.actions import end, join, leave
from domain.calls.actions.end import HostEndReason
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import (
    CallPayload,
    JoinCallPayload,
    ParticipantPayload,
    TicketPayload,
    call_payload,
    join_call_payload,
    participant_payload,
    ticket_payload,
)
from resolvers.actions.input_words import one_of, word
from schema.types.calls import EndCallInput, JoinCallInput, LeaveCallInput, RefreshCallTokenInput
from schema.types.camel_case import camel_type
from schema.types.vocabulary import LeaveReason


async def join_call(world: World, session: Session, input: JoinCallInput) -> JoinCallPayload:
    """Comes into a running call, or moves it to this device."""
    return join_call_payload(await join.join_call(world, session, input.call_id))


async def refresh_call_token(world: World, session: Session, input: RefreshCallTokenInput) -> TicketPayload:
    """A fresh token for who is in the call."""
    return ticket_payload(await join.refresh_call_token(world, session, input.call_id))


async def leave_call(world: World, session: Session, input: LeaveCallInput) -> ParticipantPayload:
    """Leaves a call; the last one out ends it."""
    reason = word(LeaveReason, input.reason or LeaveReason.user_left)
    return participant_payload(await leave.leave_call(world, session, input.call_id, reason))


async def end_call(world: World, session: Session, input: EndCallInput) -> CallPayload:
    """Ends a call for everyone. For host and co-hosts."""
    reason = one_of(HostEndReason, "reason", input.reason, "host_ended")
    return call_payload(await end.end_call(world, session, input.call_id, reason))


@camel_type
class Mutation:
    join_call = action(join_call)
    refresh_call_token = action(refresh_call_token)
    leave_call = action(leave_call)
    end_call = action(end_call)
