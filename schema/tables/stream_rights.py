"""What decided who may see a stream when those in its room were last asked for."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import metadata, now

stream_rights = sa.Table(
    "nchat_stream_rights",
    metadata,
    sa.Column(
        "stream_id",
        pg.UUID(),
        sa.ForeignKey("nchat_streams.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The stream.",
    ),
    sa.Column("seen", sa.Text, comment="What decided then, in short; null before the first time."),
    now("next_look_at", "When somebody looks next whether that has changed."),
    now("ask_at", "When they are asked for again although it has not."),
    comment="Streams that people watch by WebRTC, and what their right depends on. Not offered through GraphQL.",
)
