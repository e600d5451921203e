"""Actions of hosts on who speaks and who comes in: muteAll, askToUnmute, setParticipantRole, admitToCall, denyFromLobby."""

from domain.calls.actions import lobby, mute, role
from domain.calls.rows import ParticipantRole
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import MuteAllPayload, ParticipantPayload, mute_all_payload, participant_payload
from resolvers.actions.input_words import one_of
from schema.types.calls import AdmitToCallInput, AskToUnmuteInput, DenyFromLobbyInput, MuteAllInput, SetParticipantRoleInput
from schema.types.camel_case import camel_type


async def mute_all(world: World, session: Session, input: MuteAllInput) -> MuteAllPayload:
    """Mutes everybody's microphone but one's own; only they can unmute it. For host and co-hosts."""
    return mute_all_payload(await mute.mute_all(world, session, input.call_id, input.spared or []))


async def ask_to_unmute(world: World, session: Session, input: AskToUnmuteInput) -> ParticipantPayload:
    """Asks someone to unmute. For host and co-hosts."""
    return participant_payload(await mute.ask_to_unmute(world, session, input.call_id, input.participant_id))


async def set_participant_role(world: World, session: Session, input: SetParticipantRoleInput) -> ParticipantPayload:
    """Gives someone a role, or hands the call on. For the host."""
    given = one_of(ParticipantRole, "role", input.role)
    return participant_payload(await role.set_participant_role(world, session, input.call_id, input.participant_id, given))


async def admit_to_call(world: World, session: Session, input: AdmitToCallInput) -> ParticipantPayload:
    """Lets someone in who waits in the lobby; their next joinCall gives the token. For host and co-hosts."""
    return participant_payload(await lobby.admit_to_call(world, session, input.call_id, input.participant_id))


async def deny_from_lobby(world: World, session: Session, input: DenyFromLobbyInput) -> ParticipantPayload:
    """Refuses someone who waits in the lobby. For host and co-hosts."""
    return participant_payload(await lobby.deny_from_lobby(world, session, input.call_id, input.participant_id))


@camel_type
class Mutation:
    mute_all = action(mute_all)
    ask_to_unmute = action(ask_to_unmute)
    set_participant_role = action(set_participant_role)
    admit_to_call = action(admit_to_call)
    deny_from_lobby = action(deny_from_lobby)
