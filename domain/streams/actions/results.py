"""What actions on streams answer."""

from dataclasses import dataclass
from uuid import UUID

from domain.recordings.playing.addresses import StreamAddresses
from domain.streams.ingress.issuing import WayIn
from domain.streams.tickets import HostTicket


@dataclass(frozen=True, slots=True)
class StreamResult:
    stream_id: UUID


@dataclass(frozen=True, slots=True)
class StartedStream(StreamResult):
    """`ticket` is None for a broadcast, whose host is in the call already, and for a repeated request whose stream is over.

    `way_in` is there for the request that asked for an encoder first.
    """

    room_name: str
    ticket: HostTicket | None
    addresses: StreamAddresses
    way_in: WayIn | None = None


@dataclass(frozen=True, slots=True)
class StoppedStream(StreamResult):
    """`duration` in seconds so far, 0 for one that was never live; `recording_url` comes with the recording."""

    duration: int
    peak_viewers: int
    total_views: int
    recording_url: str | None
