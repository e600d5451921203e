"""Actions of coming and going: joinCall, refreshCallToken, leaveCall, endCall."""

from typing import Any

from strawberry.types import Info

from domain.calls import end, join, leave
from domain.calls.end import HostEndReason
from resolvers.actions.action import action
from resolvers.actions.call_answers import answer
from resolvers.actions.call_payloads import EndCallPayload, JoinCallPayload, LeaveCallPayload, RefreshCallTokenPayload
from resolvers.actions.caller import caller
from resolvers.actions.words import one_of, word
from schema.types.calls import EndCallInput, JoinCallInput, LeaveCallInput, RefreshCallTokenInput
from schema.types.camel_case import camel_type
from schema.types.vocabulary import LeaveReason


async def join_call(info: Info[Any, None], input: JoinCallInput) -> JoinCallPayload:
    """Comes into a running call, or moves it to this device."""
    return answer(JoinCallPayload, await join.join_call(*caller(info), input.call_id))


async def refresh_call_token(info: Info[Any, None], input: RefreshCallTokenInput) -> RefreshCallTokenPayload:
    """A fresh token for who is in the call."""
    return answer(RefreshCallTokenPayload, await join.refresh_call_token(*caller(info), input.call_id))


async def leave_call(info: Info[Any, None], input: LeaveCallInput) -> LeaveCallPayload:
    """Leaves a call; the last one out ends it."""
    reason = word(LeaveReason, input.reason or LeaveReason.user_left)
    return answer(LeaveCallPayload, await leave.leave_call(*caller(info), input.call_id, reason))


async def end_call(info: Info[Any, None], input: EndCallInput) -> EndCallPayload:
    """Ends a call for everyone. For host and co-hosts."""
    reason = one_of(HostEndReason, "reason", input.reason or "host_ended")
    return answer(EndCallPayload, await end.end_call(*caller(info), input.call_id, reason))


@camel_type
class Mutation:
    join_call = action(join_call)
    refresh_call_token = action(refresh_call_token)
    leave_call = action(leave_call)
    end_call = action(end_call)
