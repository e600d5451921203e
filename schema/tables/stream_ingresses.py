"""Where a stream's host sends to with an encoder: LiveKit's ingresses, each with a key of its own."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata, moment, now, reference, sealed

stream_ingresses = sa.Table(
    "nchat_stream_ingresses",
    metadata,
    key("The ingress as we know it; LiveKit's has a name that ends with this."),
    reference("stream_id", "nchat_streams.id", "The stream.", ondelete="CASCADE", index=True),
    sa.Column("kind", sa.Text, nullable=False, comment="rtmp or whip: what the encoder speaks."),
    sa.Column("identity", sa.String(255), nullable=False, comment="The participant in whose place the encoder is in the room."),
    sa.Column("ingress_id", sa.String(255), unique=True, comment="LiveKit's ingress; null until LiveKit answered."),
    sealed("stream_key_encrypted", "The key that the encoder shows, encrypted at rest."),
    sa.Column("status", sa.Text, nullable=False, server_default=sa.text("'inactive'"), comment="LiveKit's word on the encoder."),
    moment("publishing_since", "Since when the encoder has been sending; null while it does not."),
    moment("told_at", "Of which time LiveKit's newest word on the encoder is; it says something once a minute."),
    moment("missed_at", "Since when the encoder's participant is not seen in the room though LiveKit says that it publishes."),
    sa.Column("video_width", sa.Integer, comment="Width of the encoder's picture in pixels."),
    sa.Column("video_height", sa.Integer, comment="Height of the encoder's picture in pixels."),
    sa.Column("video_fps", sa.Double, comment="Pictures a second, on average since the word before."),
    sa.Column("video_fps_before", sa.Double, comment="The same of the word before, since the encoder is on the air."),
    sa.Column("video_fps_best", sa.Double, comment="The highest of them, since the encoder is on the air, or the one that it settled at."),
    sa.Column("video_fps_steady", sa.Double, comment="Near which all of them have been of late."),
    moment("video_fps_steady_since", "Since when."),
    sa.Column("video_bitrate", sa.BigInteger, comment="Bits a second of the picture, on average since the word before."),
    sa.Column("audio_bitrate", sa.BigInteger, comment="Bits a second of the sound, on average since the word before."),
    moment("failed_at", "When LiveKit refused to make it, or did not answer; null otherwise."),
    moment("retired_at", "Since when it is not wanted any more: another took its place, or the stream is over."),
    moment("removed_at", "When LiveKit confirmed that it is gone: its key opens nothing any more."),
    now("created_at", "When the row was written."),
    sa.CheckConstraint("kind IN ('rtmp', 'whip')", name="kind"),
    sa.CheckConstraint("status IN ('inactive', 'buffering', 'publishing', 'error', 'complete')", name="status"),
    sa.Index("nchat_stream_ingresses_wanted_idx", "stream_id", unique=True, postgresql_where=sa.text("retired_at IS NULL")),
    sa.Index(
        "nchat_stream_ingresses_unremoved_idx", "retired_at", postgresql_where=sa.text("retired_at IS NOT NULL AND removed_at IS NULL")
    ),
    comment="Ways into a stream for its host's encoder. Not offered through GraphQL.",
)
