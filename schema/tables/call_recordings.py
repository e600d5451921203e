"""Recordings of calls and streams, and their individual tracks."""

import sqlalchemy as sa

from schema.tables.columns import flag, free_form, key, metadata, moment, now, reference, vocabulary

recording_status = vocabulary("recording_status", "starting", "recording", "processing", "ready", "failed", "deleted")
recording_type = vocabulary("recording_type", "composite", "individual_tracks", "audio_only")
recording_layout = vocabulary("recording_layout", "grid", "speaker", "single", "custom")

STARTING = sa.text("'starting'::recording_status")

call_recordings = sa.Table(
    "nchat_call_recordings",
    metadata,
    key("The recording."),
    reference("call_id", "nchat_calls.id", "The recorded call.", nullable=True, index=True, ondelete="CASCADE"),
    reference("stream_id", "nchat_streams.id", "The recorded stream.", nullable=True, index=True, ondelete="CASCADE"),
    reference("started_by", "nchat_users.id", "Who started, and owns, the recording.", nullable=True, index=True),
    sa.Column("egress_id", sa.String(255), unique=True, comment="LiveKit's egress; null until LiveKit was asked."),
    sa.Column(
        "status", recording_status, nullable=False, server_default=STARTING, index=True, comment="Where the recording is in its life."
    ),
    sa.Column(
        "type",
        recording_type,
        nullable=False,
        server_default=sa.text("'composite'::recording_type"),
        comment="One picture of all, one file per track, or sound only.",
    ),
    sa.Column("layout", recording_layout, server_default=sa.text("'grid'::recording_layout"), comment="Arrangement of the picture."),
    sa.Column("resolution", sa.String(10), server_default=sa.text("'1080p'"), comment="720p, 1080p or 4k."),
    sa.Column("file_path", sa.String(500), comment="Key of the object in the bucket."),
    sa.Column("file_size", sa.BigInteger, comment="Size in bytes."),
    sa.Column("duration", sa.Integer, comment="Length in seconds."),
    sa.Column("storage_bucket", sa.String(255), comment="Bucket of the object."),
    sa.Column("thumbnail_path", sa.String(500), comment="Key of the still picture."),
    moment("started_at", "When recording began."),
    moment("ended_at", "When recording ended."),
    moment("expires_at", "When the retention policy removes the recording.", index=True),
    flag("legal_hold", "Never removed while this is set."),
    sa.Column("error_message", sa.Text, comment="What went wrong, in our own words."),
    free_form("The service's own notes."),
    now("created_at", "When the row was written."),
    now("updated_at", "When the row last changed; kept by a trigger."),
    sa.CheckConstraint("num_nonnulls(call_id, stream_id) = 1", name="one_source"),
    sa.Index(
        "nchat_call_recordings_one_active_per_call",
        "call_id",
        unique=True,
        postgresql_where=sa.text("status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status])"),
    ),
    comment="Recordings of calls and streams.",
)

call_recording_tracks = sa.Table(
    "nchat_call_recording_tracks",
    metadata,
    key("The recorded track."),
    reference("recording_id", "nchat_call_recordings.id", "The recording it belongs to.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "Whose track it is.", index=True),
    sa.Column("kind", sa.Text, nullable=False, comment="LiveKit's source: microphone, camera, screen_share or screen_share_audio."),
    sa.Column("egress_id", sa.String(255), unique=True, comment="LiveKit's egress; null until LiveKit was asked."),
    sa.Column("file_path", sa.String(500), comment="Key of the object in the bucket."),
    sa.Column("file_size", sa.BigInteger, comment="Size in bytes."),
    sa.Column("duration", sa.Integer, comment="Length in seconds."),
    sa.Column("status", recording_status, nullable=False, server_default=STARTING, comment="Where the track's file is in its life."),
    sa.Column("error_message", sa.Text, comment="What went wrong, in our own words."),
    sa.CheckConstraint("kind IN ('microphone', 'camera', 'screen_share', 'screen_share_audio')", name="kind"),
    comment="Individual tracks of a recording.",
)
