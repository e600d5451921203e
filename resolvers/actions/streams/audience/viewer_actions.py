"""joinStream, heartbeatStream, leaveStream and the query streamViewers."""

from domain.streams.viewers import heartbeats, joining, leaving, listing
from domain.streams.viewers.joining import Joined
from domain.streams.viewers.rows import Viewer
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.streams.audience.payloads import JoinStreamPayload, StreamViewersPayload, ViewerPayload
from schema.table_types.scalars import timestamptz, uuid
from schema.types.audience.inputs import HeartbeatStreamInput, JoinStreamInput, LeaveStreamInput, StreamViewersInput
from schema.types.camel_case import camel_type


async def join_stream(world: World, session: Session, input: JoinStreamInput, principal: str) -> JoinStreamPayload:
    """Begins to watch a live stream. For everyone who sees it; without a token, if it is public."""
    joined = await joining.join_stream(
        world, session, input.stream_id, input.device_type or None, webrtc=bool(input.webrtc), principal=principal
    )
    return _joined(joined)


async def heartbeat_stream(world: World, session: Session, input: HeartbeatStreamInput) -> ViewerPayload:
    """Still watches. A session that says nothing for 45 s is over, and its viewer joins again."""
    return _viewer(await heartbeats.heartbeat_stream(world, session, input.session_id))


async def leave_stream(world: World, session: Session, input: LeaveStreamInput) -> ViewerPayload:
    """Watches no more; may be repeated."""
    return _viewer(await leaving.leave_stream(world, session, input.session_id))


async def stream_viewers(world: World, session: Session, input: StreamViewersInput) -> StreamViewersPayload:
    """Who watches at this moment. For the host."""
    found = await listing.stream_viewers(world, session, input.stream_id)
    return StreamViewersPayload(
        stream_id=uuid(found.stream_id),
        total=found.total,
        authenticated=found.authenticated,
        anonymous=found.total - found.authenticated,
        viewer_ids=[uuid(one) for one in found.viewer_ids],
    )


def _joined(joined: Joined) -> JoinStreamPayload:
    ticket = joined.ticket
    return JoinStreamPayload(
        stream_id=uuid(joined.stream_id),
        session_id=joined.session_id,
        playback_url=joined.playback_url,
        token=None if ticket is None else ticket.token,
        server_url=None if ticket is None else ticket.server_url,
        expires_at=None if ticket is None else timestamptz(ticket.expires_at.isoformat()),
    )


def _viewer(viewer: Viewer) -> ViewerPayload:
    return ViewerPayload(stream_id=uuid(viewer.stream_id), viewer_id=uuid(viewer.id))


@camel_type
class Query:
    stream_viewers = action(stream_viewers)


@camel_type
class Mutation:
    join_stream = action(join_stream)
    heartbeat_stream = action(heartbeat_stream)
    leave_stream = action(leave_stream)
