"""Actions that ring and answer: initiateCall, startScheduledCall, inviteToCall, acceptCall, declineCall, cancelCall."""

from domain.call_settings.manners import Wishes
from domain.calls.actions import answer, initiate, invite, scheduled
from domain.calls.actions.answer import DeclineReason
from domain.calls.actions.initiate import CallRequest
from domain.calls.rows import CallType
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import (
    CallPayload,
    InitiateCallPayload,
    InviteToCallPayload,
    ParticipantPayload,
    TicketPayload,
    call_payload,
    initiate_call_payload,
    invite_to_call_payload,
    participant_payload,
    ticket_payload,
)
from resolvers.actions.input_words import object_of, one_of, word
from schema.types.call_settings import AutoRecord, RecordingConsent
from schema.types.calls import (
    AcceptCallInput,
    CancelCallInput,
    DeclineCallInput,
    InitiateCallInput,
    InviteToCallInput,
    StartScheduledCallInput,
)
from schema.types.camel_case import camel_type


async def initiate_call(world: World, session: Session, input: InitiateCallInput) -> InitiateCallPayload:
    """Starts a call: rings the targets, or waits in the channel."""
    request = CallRequest(
        type=one_of(CallType, "type", input.type),
        target_user_ids=input.target_user_ids or [],
        channel_id=input.channel_id,
        metadata=object_of("metadata", input.metadata),
        e2ee=bool(input.e2ee),
        lobby=bool(input.lobby),
        ring_timeout_seconds=input.ring_timeout_seconds,
        client_request_id=input.client_request_id,
        manners=_manners(input),
    )
    return initiate_call_payload(await initiate.initiate_call(world, session, request))


async def start_scheduled_call(world: World, session: Session, input: StartScheduledCallInput) -> InitiateCallPayload:
    """Starts a call that was inserted before: rings the targets, or waits in the channel. For who inserted it."""
    targets = input.target_user_ids or []
    return initiate_call_payload(await scheduled.start_scheduled_call(world, session, input.call_id, targets, _manners(input)))


def _manners(input: InitiateCallInput | StartScheduledCallInput) -> Wishes:
    return Wishes(
        None if input.auto_record is None else word(AutoRecord, input.auto_record),
        None if input.recording_consent is None else word(RecordingConsent, input.recording_consent),
    )


async def invite_to_call(world: World, session: Session, input: InviteToCallInput) -> InviteToCallPayload:
    """Rings more people. For host and co-hosts."""
    return invite_to_call_payload(await invite.invite_to_call(world, session, input.call_id, input.user_ids))


async def accept_call(world: World, session: Session, input: AcceptCallInput) -> TicketPayload:
    """Accepts a ring and comes in."""
    return ticket_payload(await answer.accept_call(world, session, input.call_id))


async def decline_call(world: World, session: Session, input: DeclineCallInput) -> ParticipantPayload:
    """Declines a ring."""
    reason = one_of(DeclineReason, "reason", input.reason, "declined")
    return participant_payload(await answer.decline_call(world, session, input.call_id, reason))


async def cancel_call(world: World, session: Session, input: CancelCallInput) -> CallPayload:
    """Takes a call back before anybody is connected. For who started it."""
    return call_payload(await answer.cancel_call(world, session, input.call_id))


@camel_type
class Mutation:
    initiate_call = action(initiate_call)
    start_scheduled_call = action(start_scheduled_call)
    invite_to_call = action(invite_to_call)
    accept_call = action(accept_call)
    decline_call = action(decline_call)
    cancel_call = action(cancel_call)
