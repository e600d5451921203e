"""Who watches a stream, one row per session."""

import sqlalchemy as sa

from schema.tables.call_participants import connection_quality
from schema.tables.columns import key, metadata, moment, now, reference

stream_viewers = sa.Table(
    "nchat_stream_viewers",
    metadata,
    key("The viewing session's row."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The viewer; null when anonymous.", nullable=True, index=True),
    sa.Column("session_id", sa.String(255), nullable=False, index=True, comment="Hash of the session's secret id."),
    now("joined_at", "When watching began."),
    moment("left_at", "When watching ended."),
    sa.Column("watch_duration", sa.Integer, comment="Time watched, in seconds."),
    sa.Column("device_type", sa.String(50), comment="Kind of device, as the client says."),
    sa.Column("connection_quality", connection_quality, comment="As last reported; null when unknown."),
    sa.UniqueConstraint("stream_id", "session_id"),
    comment="Viewers of streams.",
)
