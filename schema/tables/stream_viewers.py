"""Who watches a stream, one row per session."""

import sqlalchemy as sa

from schema.tables.call_participants import connection_quality
from schema.tables.columns import flag, key, metadata, moment, now, reference

stream_viewers = sa.Table(
    "nchat_stream_viewers",
    metadata,
    key("The viewing session's row."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The viewer; null when anonymous.", nullable=True, index=True),
    sa.Column("session_id", sa.String(255), nullable=False, index=True, comment="Hash of the session's secret id."),
    sa.Column("role", sa.Text, nullable=False, server_default=sa.text("'user'"), comment="The role that was let in."),
    now("joined_at", "When watching began."),
    now("seen_at", "When the session last said that it watches."),
    moment("left_at", "When watching ended."),
    sa.Column("watch_duration", sa.Integer, comment="Time watched, in seconds."),
    sa.Column("device_type", sa.String(50), comment="Kind of device, as the client says."),
    sa.Column("connection_quality", connection_quality, comment="As last reported; null when unknown."),
    flag("webrtc", "Was given a way into the stream's room."),
    moment("out_of_room_at", "When LiveKit confirmed that this ended session is not in the room."),
    sa.Column("out_tries", sa.SmallInteger, nullable=False, server_default=sa.text("0"), comment="How often that was tried."),
    moment("out_next_at", "Before then nobody tries it again: one does it now, or it failed."),
    sa.UniqueConstraint("stream_id", "session_id"),
    # The index of those who watch does not hold when they were last seen: a heartbeat touches no index.
    sa.Index("nchat_stream_viewers_watching_idx", "stream_id", postgresql_where=sa.text("left_at IS NULL")),
    sa.Index("nchat_stream_viewers_by_webrtc_idx", "stream_id", postgresql_where=sa.text("webrtc AND left_at IS NULL")),
    sa.Index(
        "nchat_stream_viewers_in_room_idx",
        "left_at",
        postgresql_where=sa.text("webrtc AND left_at IS NOT NULL AND out_of_room_at IS NULL"),
    ),
    comment="Viewers of streams.",
)
