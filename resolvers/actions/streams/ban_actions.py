"""banFromStream, unbanFromStream."""

from domain.streams.chat import bans
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.streams.chat_payloads import StreamBanPayload, stream_ban_payload
from schema.types.camel_case import camel_type
from schema.types.stream_chat import BanFromStreamInput, UnbanFromStreamInput


async def ban_from_stream(world: World, session: Session, input: BanFromStreamInput) -> StreamBanPayload:
    """Keeps somebody out of a stream: what the person follows there ends, and watching. For host and moderators; never meant for them."""
    banned = await bans.ban_from_stream(world, session, input.stream_id, input.user_id, input.seconds, input.reason)
    return stream_ban_payload(banned)


async def unban_from_stream(world: World, session: Session, input: UnbanFromStreamInput) -> StreamBanPayload:
    """Lets somebody back in. For host and moderators."""
    return stream_ban_payload(await bans.unban_from_stream(world, session, input.stream_id, input.user_id))


@camel_type
class Mutation:
    ban_from_stream = action(ban_from_stream)
    unban_from_stream = action(unban_from_stream)
