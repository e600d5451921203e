"""Where a stream is sent on to: other platforms, by RTMP."""

import sqlalchemy as sa

from schema.tables.columns import flag, key, metadata, now, reference, sealed, vocabulary

destination_platform = vocabulary("destination_platform", "youtube", "twitch", "facebook", "custom")
destination_status = vocabulary("destination_status", "pending", "connecting", "connected", "disconnected", "error")

stream_destinations = sa.Table(
    "nchat_stream_destinations",
    metadata,
    key("The destination."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    sa.Column("platform", destination_platform, nullable=False, index=True, comment="The platform."),
    sa.Column("rtmp_url", sa.String(500), nullable=False, comment="Address without the key."),
    sealed("stream_key_encrypted", "The platform's stream key, encrypted at rest.", nullable=False),
    flag("enabled", "Whether it is sent to.", default=True),
    sa.Column(
        "status",
        destination_status,
        nullable=False,
        server_default=sa.text("'pending'::destination_status"),
        comment="State of the connection.",
    ),
    sa.Column("error_message", sa.Text, comment="What went wrong, in our own words."),
    now("created_at", "When it was added."),
    sa.UniqueConstraint("stream_id", "platform"),
    comment="RTMP destinations of streams.",
)
