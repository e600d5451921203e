"""What `streamEvents` sends."""

from enum import Enum

import strawberry

from schema.table_types.scalars import bigint, timestamptz
from schema.types.camel_case import camel_type
from schema.types.vocabulary import reaction_type, stream_status


@strawberry.enum(description="What of a stream is news.")
class StreamEventKind(Enum):
    status = "status"
    viewers = "viewers"
    reactions = "reactions"
    host_reconnecting = "host_reconnecting"
    host_back = "host_back"


@camel_type
class StreamReactionTotal:
    """How many reactions of a type there are so far; a type without any is left out."""

    type: reaction_type
    count: bigint


@camel_type
class StreamEvent:
    """The stream as it is; kind says what of it is news, createdAt when it was found so."""

    kind: StreamEventKind
    status: stream_status
    viewer_count: int
    reactions: list[StreamReactionTotal]
    created_at: timestamptz
