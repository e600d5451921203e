"""inviteToStream, uninviteFromStream."""

from domain.streams.viewers import invitations
from domain.streams.viewers.invitations import Invitations
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.streams.audience.payloads import InvitationPayload
from schema.table_types.scalars import uuid
from schema.types.audience.inputs import InviteToStreamInput, UninviteFromStreamInput
from schema.types.camel_case import camel_type


async def invite_to_stream(world: World, session: Session, input: InviteToStreamInput) -> InvitationPayload:
    """People who see the stream from now on, if it is for the invited. For the host."""
    return _payload(await invitations.invite_to_stream(world, session, input.stream_id, input.user_ids))


async def uninvite_from_stream(world: World, session: Session, input: UninviteFromStreamInput) -> InvitationPayload:
    """They are invited no more, and out of a stream that is for the invited at once. For the host."""
    return _payload(await invitations.uninvite_from_stream(world, session, input.stream_id, input.user_ids))


def _payload(result: Invitations) -> InvitationPayload:
    return InvitationPayload(stream_id=uuid(result.stream_id), user_ids=[uuid(one) for one in result.user_ids])


@camel_type
class Mutation:
    invite_to_stream = action(invite_to_stream)
    uninvite_from_stream = action(uninvite_from_stream)
