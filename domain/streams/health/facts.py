"""What each source says of a stream, and when it said it. None is a figure that nobody knows; rates are bits a second."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.streams.rows import StreamStatus

# What is sent of a kind into the room: nothing, a muted track, one that is not.
Sent = Literal["absent", "muted", "sent"]
Limit = Literal["none", "cpu", "bandwidth", "other"]
IngressWord = Literal["inactive", "buffering", "publishing", "error", "complete", "unknown"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one source at the time `since`."""

    since: datetime
    video_bitrate: int | None = None
    audio_bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """What the host's client measured. `target_fps` is what it wants to send; `best_fps` and `best_bitrate` are the highest that it
    reported of this stream, `best_fps` that at which it settled since. `packet_loss` is a share of 1."""

    figures: Measured
    target_fps: float | None = None
    packet_loss: float | None = None
    limited_by: Limit | None = None
    best_fps: float | None = None
    best_bitrate: int | None = None


@dataclass(frozen=True, slots=True)
class IngressFacts:
    """What LiveKit says of the encoder: at once when it comes or goes, its figures once a minute, as means of that minute. `fps_before` is
    the mean of the minute before, `best_fps` the highest since the encoder is on the air, or the one at which it has `settled`."""

    status: IngressWord
    figures: Measured | None = None
    fps_before: float | None = None
    best_fps: float | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """When a new segment was last seen, and how much media the last ones hold, as a share of the time in which they were made; `seconds` is
    how long each is to be."""

    newest_at: datetime
    share: float | None = None
    seconds: int = 4


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """What people send into the room; an encoder is none of them."""

    looked_at: datetime
    video: Sent
    audio: Sent


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a stream at the moment `now`. `host_gone_since`: whoever sends lost the connection then."""

    now: datetime
    status: StreamStatus
    host_gone_since: datetime | None = None
    client: ClientFacts | None = None
    ingress: IngressFacts | None = None
    segments: SegmentFacts | None = None
    room: RoomFacts | None = None
