"""Words that actions speak: PostgreSQL enums as scalars of their name, as the tables show them, and enums without a column."""

from enum import Enum
from typing import NewType

import strawberry

from schema.table_types.scalars import register

call_type = NewType("call_type", str)
call_end_reason = NewType("call_end_reason", str)
participant_role = NewType("participant_role", str)
connection_quality = NewType("connection_quality", str)
recording_type = NewType("recording_type", str)
recording_layout = NewType("recording_layout", str)
destination_platform = NewType("destination_platform", str)
stream_visibility = NewType("stream_visibility", str)
stream_status = NewType("stream_status", str)
reaction_type = NewType("reaction_type", str)
register(call_type)
register(call_end_reason)
register(participant_role)
register(connection_quality)
register(recording_type)
register(recording_layout)
register(destination_platform)
register(stream_visibility)
register(stream_status)
register(reaction_type)


@strawberry.enum(description="What a track carries.")
class TrackKind(Enum):
    audio = "audio"
    video = "video"
    screen = "screen"


@strawberry.enum(description="What of a screen is shared.")
class ShareType(Enum):
    screen = "screen"
    window = "window"
    tab = "tab"


@strawberry.enum(description="Why someone leaves a call.")
class LeaveReason(Enum):
    user_left = "user_left"
    network_error = "network_error"
