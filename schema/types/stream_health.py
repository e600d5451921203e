"""How a stream is doing, as its host sees it."""

from enum import Enum

import strawberry

from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_input, camel_type


@strawberry.enum(description="How a stream is doing; none: it does not run, or nobody says anything.")
class StreamHealthState(Enum):
    ok = "ok"
    warn = "warn"
    bad = "bad"
    none = "none"


@strawberry.enum(description="What keeps an encoder from sending more.")
class EncoderLimit(Enum):
    none = "none"
    cpu = "cpu"
    bandwidth = "bandwidth"
    other = "other"


@camel_type
class StreamHealth:
    """reason is a sentence for people. The figures are those of the source that spoke last, at the time since; null is what nobody knows.
    Rates are bits a second."""

    stream_id: uuid
    state: StreamHealthState
    reason: str
    video_bitrate: int | None
    audio_bitrate: int | None
    width: int | None
    height: int | None
    fps: float | None
    since: timestamptz | None


@camel_input
class StreamHealthInput:
    stream_id: uuid


@camel_input
class StreamStatsInput:
    """What the client measured of what it sends; null is what it does not know. Rates are bits a second, packetLoss is a share of 1,
    targetFps is what it wants to send."""

    video_bitrate: int | None = None
    audio_bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    target_fps: float | None = None
    packet_loss: float | None = None
    limited_by: EncoderLimit | None = None


@camel_input
class ReportStreamHealthInput:
    stream_id: uuid
    stats: StreamStatsInput
