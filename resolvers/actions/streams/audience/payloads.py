"""What the actions of viewers and of their host answer."""

from resolvers.hand_written.table_rows import table_row, table_rows
from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_type


@camel_type
class AudiencePayload:
    stream_id: uuid
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


@camel_type
class JoinStreamPayload(AudiencePayload):
    """sessionId is secret, and told this once: heartbeatStream every 15 s keeps the session, leaveStream ends it.

    token and serverUrl lead into the stream's room, to watch only, until expiresAt; null unless webrtc was asked for.
    """

    session_id: str
    playback_url: str | None
    token: str | None
    server_url: str | None
    expires_at: timestamptz | None


@camel_type
class ViewerPayload(AudiencePayload):
    """viewerId is the session's row, which its host sees among the viewers."""

    viewer_id: uuid


@camel_type
class StreamViewersPayload(AudiencePayload):
    """Counted as it is now. viewers are the latest 500 who watch; the table has all, page by page."""

    total: int
    authenticated: int
    anonymous: int
    viewer_ids: list[uuid]
    viewers = table_rows("nchat_stream_viewers", keys="viewer_ids", description="Who watches, the latest first.")


@camel_type
class InvitationPayload(AudiencePayload):
    """userIds are those who were named, each once."""

    user_ids: list[uuid]
    users = table_rows("nchat_users", keys="user_ids", description="The people who were named.")
