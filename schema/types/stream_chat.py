"""What `streamChat` sends."""

from enum import Enum

import strawberry

from schema.table_types.scalars import bigint, timestamptz, uuid
from schema.types.call_events import Person
from schema.types.camel_case import camel_type


@strawberry.enum(description="What was done: a message was sent, or something was done to one.")
class StreamChatEventKind(Enum):
    message = "message"
    pinned = "pinned"
    unpinned = "unpinned"
    highlighted = "highlighted"
    deleted = "deleted"


@camel_type
class StreamChatMessage:
    """A message as it is now."""

    id: uuid
    content: str
    reply_to_id: uuid | None
    author: Person | None
    is_highlighted: bool
    is_pinned: bool
    created_at: timestamptz


@camel_type
class StreamChatEvent:
    """Something that happened in a stream's chat. seq counts 1, 2, 3 … within it, epoch names the history that it counts in. The message
    is null once it is deleted, whatever the event."""

    seq: bigint
    epoch: str
    kind: StreamChatEventKind
    message_id: uuid
    message: StreamChatMessage | None
