"""Actions that ring and answer: initiateCall, inviteToCall, acceptCall, declineCall, cancelCall."""

from typing import Any

from strawberry.types import Info

from domain.calls import answer as answering
from domain.calls import initiate, invite
from domain.calls.answer import DeclineReason
from domain.calls.initiate import CallRequest
from domain.calls.rows import CallType
from resolvers.actions.action import action
from resolvers.actions.call_answers import answer
from resolvers.actions.call_payloads import (
    AcceptCallPayload,
    CancelCallPayload,
    DeclineCallPayload,
    InitiateCallPayload,
    InviteToCallPayload,
)
from resolvers.actions.caller import caller
from resolvers.actions.words import object_of, one_of
from schema.types.calls import AcceptCallInput, CancelCallInput, DeclineCallInput, InitiateCallInput, InviteToCallInput
from schema.types.camel_case import camel_type


async def initiate_call(info: Info[Any, None], input: InitiateCallInput) -> InitiateCallPayload:
    """Starts a call: rings the targets, or waits in the channel."""
    request = CallRequest(
        type=one_of(CallType, "type", input.type),
        target_user_ids=input.target_user_ids or [],
        channel_id=input.channel_id,
        metadata=object_of("metadata", input.metadata),
        e2ee=bool(input.e2ee),
        ring_timeout_seconds=input.ring_timeout_seconds,
        client_request_id=input.client_request_id,
    )
    return answer(InitiateCallPayload, await initiate.initiate_call(*caller(info), request))


async def invite_to_call(info: Info[Any, None], input: InviteToCallInput) -> InviteToCallPayload:
    """Rings more people. For host and co-hosts."""
    return answer(InviteToCallPayload, await invite.invite_to_call(*caller(info), input.call_id, input.user_ids))


async def accept_call(info: Info[Any, None], input: AcceptCallInput) -> AcceptCallPayload:
    """Accepts a ring and comes in."""
    return answer(AcceptCallPayload, await answering.accept_call(*caller(info), input.call_id))


async def decline_call(info: Info[Any, None], input: DeclineCallInput) -> DeclineCallPayload:
    """Declines a ring."""
    reason = one_of(DeclineReason, "reason", input.reason or "declined")
    return answer(DeclineCallPayload, await answering.decline_call(*caller(info), input.call_id, reason))


async def cancel_call(info: Info[Any, None], input: CancelCallInput) -> CancelCallPayload:
    """Takes a call back before anybody is connected. For who started it."""
    return answer(CancelCallPayload, await answering.cancel_call(*caller(info), input.call_id))


@camel_type
class Mutation:
    initiate_call = action(initiate_call)
    invite_to_call = action(invite_to_call)
    accept_call = action(accept_call)
    decline_call = action(decline_call)
    cancel_call = action(cancel_call)
