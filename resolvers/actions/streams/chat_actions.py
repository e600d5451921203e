"""sendStreamChat, pinStreamChat, unpinStreamChat, highlightStreamChat, deleteStreamChat."""

from domain.streams.chat import moderating, sending
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.streams.chat_payloads import (
    SendStreamChatPayload,
    StreamChatPayload,
    send_stream_chat_payload,
    stream_chat_payload,
)
from schema.types.camel_case import camel_type
from schema.types.stream_chat import (
    DeleteStreamChatInput,
    HighlightStreamChatInput,
    PinStreamChatInput,
    SendStreamChatInput,
    UnpinStreamChatInput,
)


async def send_stream_chat(world: World, session: Session, input: SendStreamChatInput) -> SendStreamChatPayload:
    """Says something at a live stream. For whoever sees it; may be repeated with the same clientMessageId."""
    sent = await sending.send_stream_chat(world, session, input.stream_id, input.content, input.reply_to, input.client_message_id)
    return send_stream_chat_payload(sent)


async def pin_stream_chat(world: World, session: Session, input: PinStreamChatInput) -> StreamChatPayload:
    """Keeps a message in everybody's sight. For host and moderators."""
    return stream_chat_payload(await moderating.pin_stream_chat(world, session, input.message_id))


async def unpin_stream_chat(world: World, session: Session, input: UnpinStreamChatInput) -> StreamChatPayload:
    """Takes a pinned message back to the others. For host and moderators."""
    return stream_chat_payload(await moderating.unpin_stream_chat(world, session, input.message_id))


async def highlight_stream_chat(world: World, session: Session, input: HighlightStreamChatInput) -> StreamChatPayload:
    """Sets a message off from the others. For host and moderators."""
    return stream_chat_payload(await moderating.highlight_stream_chat(world, session, input.message_id))


async def delete_stream_chat(world: World, session: Session, input: DeleteStreamChatInput) -> StreamChatPayload:
    """Takes a message back: nobody is told again what it said. For its author, host and moderators."""
    return stream_chat_payload(await moderating.delete_stream_chat(world, session, input.message_id))


@camel_type
class Mutation:
    send_stream_chat = action(send_stream_chat)
    pin_stream_chat = action(pin_stream_chat)
    unpin_stream_chat = action(unpin_stream_chat)
    highlight_stream_chat = action(highlight_stream_chat)
    delete_stream_chat = action(delete_stream_chat)
