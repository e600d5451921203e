"""Actions on tracks and people in a call: setMuted, muteParticipant, kickParticipant, readmitParticipant, screen share."""

from typing import Any

from strawberry.types import Info

from domain.calls import kick, mute, screen_share
from resolvers.actions.action import action
from resolvers.actions.call_answers import answer
from resolvers.actions.call_payloads import (
    KickParticipantPayload,
    MuteParticipantPayload,
    ReadmitParticipantPayload,
    SetMutedPayload,
    StartScreenSharePayload,
    StopScreenSharePayload,
)
from resolvers.actions.caller import caller
from resolvers.actions.words import word
from schema.types.calls import (
    KickParticipantInput,
    MuteParticipantInput,
    ReadmitParticipantInput,
    SetMutedInput,
    StartScreenShareInput,
    StopScreenShareInput,
)
from schema.types.camel_case import camel_type
from schema.types.vocabulary import ShareType, TrackKind


async def set_muted(info: Info[Any, None], input: SetMutedInput) -> SetMutedPayload:
    """Tells what one's own microphone, camera or screen does now."""
    return answer(SetMutedPayload, await mute.set_muted(*caller(info), input.call_id, word(TrackKind, input.track_type), input.muted))


async def mute_participant(info: Info[Any, None], input: MuteParticipantInput) -> MuteParticipantPayload:
    """Mutes someone's published track; only they can unmute it. For host and co-hosts."""
    done = await mute.mute_participant(*caller(info), input.call_id, input.participant_id, word(TrackKind, input.track_type))
    return answer(MuteParticipantPayload, done)


async def kick_participant(info: Info[Any, None], input: KickParticipantInput) -> KickParticipantPayload:
    """Removes someone, who stays out until readmitted. For host and co-hosts."""
    done = await kick.kick_participant(*caller(info), input.call_id, input.participant_id, input.reason)
    return answer(KickParticipantPayload, done)


async def readmit_participant(info: Info[Any, None], input: ReadmitParticipantInput) -> ReadmitParticipantPayload:
    """Lets a removed participant join again. For host and co-hosts."""
    done = await kick.readmit_participant(*caller(info), input.call_id, input.participant_id)
    return answer(ReadmitParticipantPayload, done)


async def start_screen_share(info: Info[Any, None], input: StartScreenShareInput) -> StartScreenSharePayload:
    """Gives the right to publish a screen."""
    share_type = word(ShareType, input.share_type or ShareType.screen)
    done = await screen_share.start_screen_share(*caller(info), input.call_id, share_type, bool(input.with_audio))
    return answer(StartScreenSharePayload, done)


async def stop_screen_share(info: Info[Any, None], input: StopScreenShareInput) -> StopScreenSharePayload:
    """Gives the right to publish a screen back; a shared screen stops."""
    return answer(StopScreenSharePayload, await screen_share.stop_screen_share(*caller(info), input.call_id))


@camel_type
class Mutation:
    set_muted = action(set_muted)
    mute_participant = action(mute_participant)
    kick_participant = action(kick_participant)
    readmit_participant = action(readmit_participant)
    start_screen_share = action(start_screen_share)
    stop_screen_share = action(stop_screen_share)
