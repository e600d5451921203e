"""Recordings of calls and streams: one row from the click to the removal, made of parts (`call_recording_parts.py`)."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import flag, free_form, key, metadata, moment, now, reference, vocabulary

recording_status = vocabulary("recording_status", "starting", "recording", "paused", "processing", "ready", "failed", "deleted")
recording_type = vocabulary("recording_type", "composite", "individual_tracks", "audio_only")
recording_layout = vocabulary("recording_layout", "grid", "speaker", "single", "custom")

STARTING = sa.text("'starting'::recording_status")
# One recording of a source may be in these at a time.
ACTIVE = sa.text("status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status, 'paused'::recording_status])")

call_recordings = sa.Table(
    "nchat_call_recordings",
    metadata,
    key("The recording."),
    reference("call_id", "nchat_calls.id", "The recorded call.", nullable=True, index=True, ondelete="CASCADE"),
    reference("stream_id", "nchat_streams.id", "The recorded stream.", nullable=True, index=True, ondelete="CASCADE"),
    reference("started_by", "nchat_users.id", "Who started, and owns, the recording.", nullable=True, index=True),
    sa.Column("title", sa.String(255), comment="What people call it."),
    sa.Column("egress_id", sa.String(255), unique=True, comment="LiveKit's egress of a recording from before there were parts."),
    sa.Column(
        "status", recording_status, nullable=False, server_default=STARTING, index=True, comment="Where the recording is in its life."
    ),
    now("status_since", "Since when the status is what it is; timeouts count from here. Not offered through GraphQL."),
    sa.Column(
        "type",
        recording_type,
        nullable=False,
        server_default=sa.text("'composite'::recording_type"),
        comment="One picture of all, one file per track, or sound only.",
    ),
    sa.Column("layout", recording_layout, server_default=sa.text("'grid'::recording_layout"), comment="Arrangement of the picture."),
    sa.Column("custom_layout", sa.Text, comment="Name of the template of a custom layout. Not offered through GraphQL."),
    sa.Column("resolution", sa.String(10), server_default=sa.text("'1080p'"), comment="720p, 1080p or 4k."),
    sa.Column("file_path", sa.String(500), comment="Key of the object in the bucket."),
    sa.Column("file_size", sa.BigInteger, comment="Size in bytes."),
    sa.Column("file_reason", sa.Text, comment="Why there is no file although there is media; the playlist plays in any case."),
    sa.Column("join_progress", sa.SmallInteger, comment="Percent of the parts that are joined to one file; null where nothing is joined."),
    sa.Column("duration", sa.Integer, comment="Length of the media in seconds, pauses and losses not counted."),
    sa.Column("storage_bucket", sa.String(255), comment="Bucket of the objects."),
    sa.Column("thumbnail_path", sa.String(500), comment="Key of the still picture."),
    sa.Column(
        "gaps",
        pg.JSONB,
        nullable=False,
        server_default=sa.text("'[]'::jsonb"),
        comment="What is missing between the first frame and the last: a list of from, to (times) and reason: paused, lost or storage.",
    ),
    reference(
        "source_recording_id",
        "nchat_call_recordings.id",
        "The recording that this is a clip of.",
        nullable=True,
        index=True,
        ondelete="SET NULL",
    ),
    sa.Column("clip_from", sa.Double, comment="Where a clip begins, in seconds of its source's playlist."),
    sa.Column("clip_to", sa.Double, comment="Where a clip ends, in seconds of its source's playlist."),
    sa.Column("clip_progress", sa.SmallInteger, comment="Percent of a clip's segments that are copied; null for what is no clip."),
    flag("keep", "Kept beyond the stream that it records. Not offered through GraphQL.", default=True),
    moment("started_at", "When it was asked for."),
    moment("media_started_at", "When the first frame was recorded."),
    moment("ended_at", "When recording ended."),
    moment("expires_at", "When the retention policy removes the recording.", index=True),
    flag("legal_hold", "Never removed while this is set."),
    sa.Column("tier", sa.Text, comment="The starter's tier, which may name a retention policy. Not offered through GraphQL."),
    sa.Column("error_message", sa.Text, comment="What went wrong, in our own words."),
    moment("consent_asked_at", "Since when everybody's consent is awaited. Not offered through GraphQL."),
    moment("pause_asked_at", "When the present pause was asked for. Not offered through GraphQL."),
    moment("delete_asked_at", "When the removal was asked for. Not offered through GraphQL."),
    sa.Column(
        "work_attempts", sa.Integer, nullable=False, server_default=sa.text("0"), comment="How often joining or removing was tried in vain."
    ),
    sa.Column(
        "join_tries",
        sa.SmallInteger,
        nullable=False,
        server_default=sa.text("0"),
        comment="How often joining was begun; a try that found the store away does not count. Not offered through GraphQL.",
    ),
    now("next_work_at", "When joining or removing is tried next. Not offered through GraphQL."),
    moment("work_taken_until", "Until when a process that may have died joins or removes it. Not offered through GraphQL."),
    free_form("The service's own notes."),
    now("created_at", "When the row was written."),
    now("updated_at", "When the row last changed; kept by a trigger."),
    sa.CheckConstraint("num_nonnulls(call_id, stream_id) = 1", name="one_source"),
    sa.CheckConstraint("clip_from >= 0 AND clip_to > clip_from", name="clip"),
    sa.Index("nchat_call_recordings_one_active_per_call", "call_id", unique=True, postgresql_where=ACTIVE),
    sa.Index("nchat_call_recordings_one_active_per_stream", "stream_id", unique=True, postgresql_where=ACTIVE),
    # Those that something is still to be done for, however long the history grows.
    sa.Index(
        "nchat_call_recordings_unfinished_idx",
        "status_since",
        postgresql_where=sa.text(
            "status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status, 'paused'::recording_status,"
            " 'processing'::recording_status])"
        ),
    ),
    sa.Index(
        "nchat_call_recordings_delete_asked_idx",
        "delete_asked_at",
        postgresql_where=sa.text("delete_asked_at IS NOT NULL AND status <> 'deleted'::recording_status"),
    ),
    sa.Index(
        "nchat_call_recordings_expiring_idx",
        "expires_at",
        postgresql_where=sa.text("delete_asked_at IS NULL AND expires_at IS NOT NULL"),
    ),
    sa.Index(
        "nchat_call_recordings_joining_idx",
        "next_work_at",
        postgresql_where=sa.text("status = 'ready'::recording_status AND join_progress < 100"),
    ),
    sa.Index(
        "nchat_call_recordings_clips_idx",
        "next_work_at",
        postgresql_where=sa.text("status = 'processing'::recording_status AND clip_progress IS NOT NULL"),
    ),
    comment="Recordings of calls and streams.",
)
