"""Inputs of those who watch a stream and react to it, and of the host who invites them."""

from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_input
from schema.types.vocabulary import reaction_type


@camel_input
class JoinStreamInput:
    """deviceType is what the client says of itself, at most 50 characters; webrtc asks for a way into the stream's room."""

    stream_id: uuid
    device_type: str | None = None
    webrtc: bool | None = None


@camel_input
class HeartbeatStreamInput:
    """sessionId is what joinStream answered."""

    session_id: str


@camel_input
class LeaveStreamInput:
    """sessionId is what joinStream answered."""

    session_id: str


@camel_input
class StreamViewersInput:
    stream_id: uuid


@camel_input
class InviteToStreamInput:
    """userIds names 1 to 500 people."""

    stream_id: uuid
    user_ids: list[uuid]


@camel_input
class UninviteFromStreamInput:
    """userIds names 1 to 500 people."""

    stream_id: uuid
    user_ids: list[uuid]


@camel_input
class ReactToStreamInput:
    stream_id: uuid
    type: reaction_type
