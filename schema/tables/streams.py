"""Live streams of a channel."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import flag, free_form, key, metadata, moment, now, reference, vocabulary

stream_visibility = vocabulary("stream_visibility", "public", "channel_members", "invite_only")
stream_status = vocabulary("stream_status", "scheduled", "starting", "live", "ending", "ended", "cancelled")
# LiveKit has, or is about to have, something of these.
RUNNING = sa.text("status = ANY (ARRAY['starting'::stream_status, 'live'::stream_status, 'ending'::stream_status])")
PLANNED = "status = 'scheduled'::stream_status"


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=sa.text("0"), comment=comment)


streams = sa.Table(
    "nchat_streams",
    metadata,
    key("The stream."),
    reference("channel_id", "nchat_channels.id", "The channel it belongs to.", index=True),
    reference("host_id", "nchat_users.id", "Who streams.", index=True),
    reference("call_id", "nchat_calls.id", "The call that is being broadcast.", nullable=True, index=True),
    sa.Column(
        "room_name",
        sa.String(255),
        nullable=False,
        server_default=sa.text("('stream_'::text || gen_random_uuid())"),
        comment="Name of the LiveKit room.",
    ),
    sa.Column("room_sid", sa.String(255), comment="LiveKit's id of the room's present life."),
    sa.Column("title", sa.String(255), nullable=False, comment="Title."),
    sa.Column("description", sa.Text, comment="What it is about."),
    sa.Column(
        "visibility",
        stream_visibility,
        nullable=False,
        server_default=sa.text("'channel_members'::stream_visibility"),
        comment="Who may watch.",
    ),
    sa.Column(
        "status",
        stream_status,
        nullable=False,
        server_default=sa.text("'scheduled'::stream_status"),
        index=True,
        comment="Where the stream is in its life.",
    ),
    now("status_since", "Since when the status is what it is; timeouts count from here. Not offered through GraphQL."),
    sa.Column(
        "senders",
        pg.JSONB,
        nullable=False,
        server_default=sa.text("'{}'::jsonb"),
        comment="LiveKit's ids of the connections that send, by identity. Not offered through GraphQL.",
    ),
    # An earlier release reads and writes it, and a trigger keeps both in step: it goes when none is left that does.
    sa.Column("host_sid", sa.String(255), comment="LiveKit's id of the connection that the host sends from. Not offered through GraphQL."),
    moment("host_gone_since", "Since when nobody sends to the live stream; null while somebody does. Not offered through GraphQL."),
    sa.Column("hls_url", sa.String(500), comment="Address of the HLS playlist; answers for public streams only."),
    sa.Column("dash_url", sa.String(500), comment="Address of the DASH manifest; null without a packager."),
    sa.Column("rtmp_ingest_url", sa.String(500), comment="Where the host's encoder sends to."),
    flag("chat_enabled", "Viewers may chat.", default=True),
    flag("reactions_enabled", "Viewers may react.", default=True),
    sa.Column(
        "slow_mode_seconds",
        sa.Integer,
        nullable=False,
        server_default=sa.text("0"),
        comment="Least time between two chat messages of one person, in seconds; 0 is off.",
    ),
    flag("record_stream", "The stream is recorded."),
    _count("viewer_count", "Viewers now."),
    _count("peak_viewers", "Most viewers at once."),
    _count("total_views", "Viewer sessions so far."),
    _count("total_reactions", "Reactions so far."),
    moment("scheduled_at", "When the stream is meant to start.", index=True),
    moment("reminded_at", "When its people were reminded of it. Not offered through GraphQL."),
    moment("started_at", "When it went live."),
    moment("ended_at", "When it ended."),
    moment("room_closed_at", "When LiveKit confirmed that the ended stream's room is gone. Not offered through GraphQL."),
    # Streams and recordings refer to each other: this constraint is added once both tables stand.
    reference("recording_id", "nchat_call_recordings.id", "Its recording.", nullable=True, index=True, ondelete="SET NULL", use_alter=True),
    sa.Column("client_request_id", pg.UUID(), comment="The client's id of the request: repeating it gives the same stream."),
    free_form("The service's own notes, for example why it failed."),
    now("created_at", "When the row was written."),
    now("updated_at", "When the row last changed; kept by a trigger."),
    sa.UniqueConstraint("host_id", "client_request_id"),
    sa.Index(None, "channel_id", "status"),
    sa.Index("nchat_streams_room_open_idx", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL AND room_closed_at IS NULL")),
    # A broadcast is in the room of its call, one after the other; every other stream has a room of its own.
    sa.Index("nchat_streams_own_room_idx", "room_name", unique=True, postgresql_where=sa.text("call_id IS NULL")),
    sa.Index("nchat_streams_one_running_per_call", "call_id", unique=True, postgresql_where=RUNNING),
    sa.Index("nchat_streams_running_idx", "status_since", postgresql_where=RUNNING),
    sa.Index("nchat_streams_planned_idx", sa.text("coalesce(scheduled_at, created_at)"), postgresql_where=sa.text(PLANNED)),
    sa.Index("nchat_streams_reminder_idx", "scheduled_at", postgresql_where=sa.text(f"{PLANNED} AND reminded_at IS NULL")),
    sa.CheckConstraint("slow_mode_seconds >= 0", name="slow_mode_seconds"),
    sa.CheckConstraint("char_length(title) <= 200", name="title_length"),
    sa.CheckConstraint("char_length(description) <= 10000", name="description_length"),
    comment="Live streams.",
)
