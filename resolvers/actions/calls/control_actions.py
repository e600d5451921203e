"""Actions on tracks and people in a call: setMuted, muteParticipant, kickParticipant, readmitParticipant, screen share."""

from domain.calls.actions import kick, mute, screen_share
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import ParticipantPayload, StartScreenSharePayload, participant_payload, start_screen_share_payload
from resolvers.actions.input_words import word
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


async def set_muted(world: World, session: Session, input: SetMutedInput) -> ParticipantPayload:
    """Tells what one's own microphone, camera or screen does now."""
    return participant_payload(await mute.set_muted(world, session, input.call_id, word(TrackKind, input.track_type), input.muted))


async def mute_participant(world: World, session: Session, input: MuteParticipantInput) -> ParticipantPayload:
    """Mutes someone's published track; only they can unmute it. For host and co-hosts."""
    track = word(TrackKind, input.track_type)
    return participant_payload(await mute.mute_participant(world, session, input.call_id, input.participant_id, track))


async def kick_participant(world: World, session: Session, input: KickParticipantInput) -> ParticipantPayload:
    """Removes someone, who stays out until readmitted. For host and co-hosts."""
    return participant_payload(await kick.kick_participant(world, session, input.call_id, input.participant_id, input.reason))


async def readmit_participant(world: World, session: Session, input: ReadmitParticipantInput) -> ParticipantPayload:
    """Lets a removed participant join again. For host and co-hosts."""
    return participant_payload(await kick.readmit_participant(world, session, input.call_id, input.participant_id))


async def start_screen_share(world: World, session: Session, input: StartScreenShareInput) -> StartScreenSharePayload:
    """Gives the right to publish a screen."""
    share_type = word(ShareType, input.share_type or ShareType.screen)
    done = await screen_share.start_screen_share(world, session, input.call_id, share_type, bool(input.with_audio))
    return start_screen_share_payload(done)


async def stop_screen_share(world: World, session: Session, input: StopScreenShareInput) -> ParticipantPayload:
    """Gives the right to publish a screen back; a shared screen stops."""
    return participant_payload(await screen_share.stop_screen_share(world, session, input.call_id))


@camel_type
class Mutation:
    set_muted = action(set_muted)
    mute_participant = action(mute_participant)
    kick_participant = action(kick_participant)
    readmit_participant = action(readmit_participant)
    start_screen_share = action(start_screen_share)
    stop_screen_share = action(stop_screen_share)
