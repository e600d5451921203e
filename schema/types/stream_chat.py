"""What `streamChat` sends, and inputs of the actions on a stream's chat."""

from enum import Enum

import strawberry

from schema.table_types.scalars import bigint, timestamptz, uuid
from schema.types.call_events import Person
from schema.types.camel_case import camel_input, camel_type


@strawberry.enum(description="What was done: a message was sent, or something was done to one.")
class StreamChatEventKind(Enum):
    message = "message"
    pinned = "pinned"
    unpinned = "unpinned"
    highlighted = "highlighted"
    deleted = "deleted"


@camel_type
class StreamChatMessage:
    """A message as it is now. mediaSeconds is its place on the timeline of the stream's playlist; null before there is media."""

    id: uuid
    content: str
    reply_to_id: uuid | None
    author: Person | None
    is_highlighted: bool
    is_pinned: bool
    created_at: timestamptz
    media_seconds: float | None


@camel_type
class StreamChatEvent:
    """Something that happened in a stream's chat. seq counts 1, 2, 3 … within it, epoch names the history that it counts in. The message
    is null once it is deleted, whatever the event."""

    seq: bigint
    epoch: str
    kind: StreamChatEventKind
    message_id: uuid
    message: StreamChatMessage | None


@camel_input
class SendStreamChatInput:
    """content has 1 to 500 characters. clientMessageId is the client's own: with it a message may be sent again after a lost answer."""

    stream_id: uuid
    content: str
    reply_to: uuid | None = None
    client_message_id: uuid | None = None


@camel_input
class PinStreamChatInput:
    message_id: uuid


@camel_input
class UnpinStreamChatInput:
    message_id: uuid


@camel_input
class HighlightStreamChatInput:
    message_id: uuid


@camel_input
class DeleteStreamChatInput:
    message_id: uuid


@camel_input
class BanFromStreamInput:
    """Without seconds the ban has no end. reason has at most 500 characters; host and moderators read it."""

    stream_id: uuid
    user_id: uuid
    seconds: int | None = None
    reason: str | None = None


@camel_input
class UnbanFromStreamInput:
    stream_id: uuid
    user_id: uuid
