"""Streams that are repackaged as DASH: where that lies, and who is at it."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import metadata, moment, now, reference

stream_dash = sa.Table(
    "nchat_stream_dash",
    metadata,
    sa.Column(
        "stream_id",
        pg.UUID(),
        sa.ForeignKey("nchat_streams.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The stream.",
    ),
    reference("recording_id", "nchat_call_recordings.id", "Its recording, whose segments are repackaged.", index=True, ondelete="CASCADE"),
    sa.Column("url", sa.String(500), comment="Its address; null until there is a manifest."),
    sa.Column("path_prefix", sa.Text, comment="What the keys of manifest and pieces begin with; null until there is a manifest."),
    sa.Column("segments", sa.Integer, nullable=False, server_default=sa.text("0"), comment="Segments of HLS that are in the manifest."),
    sa.Column("making_prefix", sa.Text, comment="The same of what is being made: whoever takes it begins anew, elsewhere."),
    moment("taken_until", "Until when a process has it in hand; null while none has."),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="How often it was taken in hand."),
    now("not_before", "When it is taken in hand next."),
    moment("completed_at", "When all of the stream was in it, or it was given up."),
    sa.Index("nchat_stream_dash_due_idx", "not_before", postgresql_where=sa.text("completed_at IS NULL")),
    comment="Streams as DASH. Not offered through GraphQL.",
)
