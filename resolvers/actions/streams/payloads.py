"""What actions on the life of streams answer."""

from domain.streams.actions.results import StartedStream, StoppedStream, StreamResult
from domain.streams.ingress.reset import IngressResult
from domain.streams.tickets import HostTicket
from domain.streams.viewers.entering import ViewerTicket
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_type


@camel_type
class StreamPayload:
    stream_id: uuid
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


def stream_payload(result: StreamResult) -> StreamPayload:
    return StreamPayload(stream_id=uuid(result.stream_id))


@camel_type
class StartStreamPayload(StreamPayload):
    """hostToken lets the host into the room until expiresAt; null of a broadcast, whose host is in the call, and of one that is over.
    rtmpIngestUrl and streamKey are for the host's encoder, told this once: null without one, and when the request is repeated.
    hlsUrl and embedCode play what is public.
    """

    room_name: str
    host_token: str | None
    server_url: str | None
    expires_at: timestamptz | None
    rtmp_ingest_url: str | None
    stream_key: str | None
    hls_url: str | None
    dash_url: str | None
    embed_code: str | None


def start_stream_payload(result: StartedStream) -> StartStreamPayload:
    ticket, way_in = result.ticket, result.way_in
    return StartStreamPayload(
        stream_id=uuid(result.stream_id),
        room_name=result.room_name,
        host_token=None if ticket is None else ticket.token,
        server_url=None if ticket is None else ticket.server_url,
        expires_at=None if ticket is None else timestamptz(ticket.expires_at.isoformat()),
        rtmp_ingest_url=None if way_in is None else way_in.url,
        stream_key=None if way_in is None else way_in.stream_key,
        hls_url=result.addresses.hls_url,
        dash_url=result.addresses.dash_url,
        embed_code=result.addresses.embed_code,
    )


@camel_type
class StopStreamPayload(StreamPayload):
    """duration is in seconds, 0 for a stream that was never live; recordingUrl is null until there is a file."""

    duration: int
    peak_viewers: int
    total_views: int
    recording_url: str | None


def stop_stream_payload(result: StoppedStream) -> StopStreamPayload:
    return StopStreamPayload(
        stream_id=uuid(result.stream_id),
        duration=result.duration,
        peak_viewers=result.peak_viewers,
        total_views=result.total_views,
        recording_url=result.recording_url,
    )


@camel_type
class RefreshStreamTokenPayload:
    token: str
    server_url: str
    expires_at: timestamptz


def refresh_stream_token_payload(ticket: HostTicket | ViewerTicket) -> RefreshStreamTokenPayload:
    return RefreshStreamTokenPayload(
        token=ticket.token, server_url=ticket.server_url, expires_at=timestamptz(ticket.expires_at.isoformat())
    )


@camel_type
class ResetStreamIngressPayload(StreamPayload):
    """Address and key for an encoder; the key is told this once."""

    rtmp_ingest_url: str
    stream_key: str


def reset_stream_ingress_payload(result: IngressResult) -> ResetStreamIngressPayload:
    way_in = result.way_in
    return ResetStreamIngressPayload(stream_id=uuid(result.stream_id), rtmp_ingest_url=way_in.url, stream_key=way_in.stream_key)
