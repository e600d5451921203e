"""The action reactToStream."""

from domain.streams.reactions import react
from domain.streams.reactions.react import ReactionType
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.input_words import one_of
from resolvers.actions.streams.audience.payloads import AudiencePayload
from schema.table_types.scalars import uuid
from schema.types.audience.inputs import ReactToStreamInput
from schema.types.camel_case import camel_type


async def react_to_stream(world: World, session: Session, input: ReactToStreamInput) -> AudiencePayload:
    """Reacts to a live stream; the answer comes when it is counted. For everyone who has a name and sees the stream."""
    await react.react_to_stream(world, session, input.stream_id, one_of(ReactionType, "type", input.type))
    return AudiencePayload(stream_id=uuid(input.stream_id))


@camel_type
class Mutation:
    react_to_stream = action(react_to_stream)
