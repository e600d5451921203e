"""addStreamDestination, updateStreamDestination, removeStreamDestination."""

from collections.abc import Sequence

from domain.streams.destinations import adding, changing
from domain.streams.destinations.adding import DestinationResult
from domain.streams.destinations.changing import DestinationChange
from domain.streams.destinations.checking import OutputWanted, Platform
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.input_words import one_of
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_type
from schema.types.stream_destinations import (
    AddStreamDestinationInput,
    RemoveStreamDestinationInput,
    RtmpOutputInput,
    UpdateStreamDestinationInput,
)


@camel_type
class RemoveStreamDestinationPayload:
    stream_id: uuid
    destination_id: uuid
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


@camel_type
class StreamDestinationPayload(RemoveStreamDestinationPayload):
    destination = table_row("nchat_stream_destinations", key="destination_id", description="The destination, as the caller may see it.")


async def add_stream_destination(world: World, session: Session, input: AddStreamDestinationInput) -> StreamDestinationPayload:
    """Sends the stream to another platform too, by RTMP: from its start on, or at once while it is live. The key is kept encrypted and is
    never shown again. For the host."""
    wanted = OutputWanted(one_of(Platform, "platform", input.platform), input.rtmp_url, input.stream_key)
    return _payload(await adding.add_stream_destination(world, session, input.stream_id, wanted))


async def update_stream_destination(world: World, session: Session, input: UpdateStreamDestinationInput) -> StreamDestinationPayload:
    """Another address, another key, on or off; at once while the stream is live. For the host."""
    change = DestinationChange(input.rtmp_url, input.stream_key, input.enabled)
    return _payload(await changing.update_stream_destination(world, session, input.destination_id, change))


async def remove_stream_destination(world: World, session: Session, input: RemoveStreamDestinationInput) -> RemoveStreamDestinationPayload:
    """Nothing is sent there any more, and the key is forgotten. For the host."""
    result = await changing.remove_stream_destination(world, session, input.destination_id)
    return RemoveStreamDestinationPayload(stream_id=uuid(result.stream_id), destination_id=uuid(result.destination_id))


def outputs_wanted(given: Sequence[RtmpOutputInput] | None) -> Sequence[OutputWanted]:
    """The destinations that a stream starts with."""
    return [OutputWanted(one_of(Platform, "platform", one.platform), one.rtmp_url, one.stream_key) for one in given or ()]


def _payload(result: DestinationResult) -> StreamDestinationPayload:
    return StreamDestinationPayload(stream_id=uuid(result.stream_id), destination_id=uuid(result.destination_id))


@camel_type
class Mutation:
    add_stream_destination = action(add_stream_destination)
    update_stream_destination = action(update_stream_destination)
    remove_stream_destination = action(remove_stream_destination)
