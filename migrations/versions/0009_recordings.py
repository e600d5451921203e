"""Recordings of calls and streams."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait, touch_updated_at

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "recording_status": ("starting", "recording", "processing", "ready", "failed", "deleted"),
    "recording_type": ("composite", "individual_tracks", "audio_only"),
    "recording_layout": ("grid", "speaker", "single", "custom"),
}

# Streams and recordings refer to each other.
RECORDING_OF_STREAM = "nchat_streams_recording_id_fkey"


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_recordings()
    create_recording_tracks()
    op.create_foreign_key(RECORDING_OF_STREAM, "nchat_streams", "nchat_call_recordings", ["recording_id"], ["id"], ondelete="SET NULL")
    touch_updated_at("nchat_call_recordings")


def downgrade() -> None:
    limit_lock_wait()
    op.drop_constraint(RECORDING_OF_STREAM, "nchat_streams", type_="foreignkey")
    op.drop_table("nchat_call_recording_tracks")
    op.drop_table("nchat_call_recordings")
    drop_enums(VOCABULARIES)


def create_recordings() -> None:
    op.create_table(
        "nchat_call_recordings",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The recording."),
        sa.Column("call_id", UUID, comment="The recorded call."),
        sa.Column("stream_id", UUID, comment="The recorded stream."),
        sa.Column("started_by", UUID, comment="Who started, and owns, the recording."),
        sa.Column("egress_id", sa.String(length=255), comment="LiveKit's egress; null until LiveKit was asked."),
        sa.Column(
            "status",
            enum("recording_status"),
            server_default=sa.text("'starting'::recording_status"),
            nullable=False,
            comment="Where the recording is in its life.",
        ),
        sa.Column(
            "type",
            enum("recording_type"),
            server_default=sa.text("'composite'::recording_type"),
            nullable=False,
            comment="One picture of all, one file per track, or sound only.",
        ),
        sa.Column(
            "layout", enum("recording_layout"), server_default=sa.text("'grid'::recording_layout"), comment="Arrangement of the picture."
        ),
        sa.Column("resolution", sa.String(length=10), server_default=sa.text("'1080p'"), comment="720p, 1080p or 4k."),
        sa.Column("file_path", sa.String(length=500), comment="Key of the object in the bucket."),
        sa.Column("file_size", sa.BigInteger(), comment="Size in bytes."),
        sa.Column("duration", sa.Integer(), comment="Length in seconds."),
        sa.Column("storage_bucket", sa.String(length=255), comment="Bucket of the object."),
        sa.Column("thumbnail_path", sa.String(length=500), comment="Key of the still picture."),
        sa.Column("started_at", TIMESTAMP, comment="When recording began."),
        sa.Column("ended_at", TIMESTAMP, comment="When recording ended."),
        sa.Column("expires_at", TIMESTAMP, comment="When the retention policy removes the recording."),
        sa.Column("legal_hold", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Never removed while this is set."),
        sa.Column("error_message", sa.Text(), comment="What went wrong, in our own words."),
        sa.Column("metadata", JSONB, server_default=sa.text("'{}'::jsonb"), comment="The service's own notes."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the row was written."),
        sa.Column(
            "updated_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row last changed; kept by a trigger.",
        ),
        sa.CheckConstraint("num_nonnulls(call_id, stream_id) = 1", name=op.f("nchat_call_recordings_one_source_check")),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_call_recordings_call_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["started_by"], ["nchat_users.id"], name="nchat_call_recordings_started_by_fkey"),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_call_recordings_stream_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="nchat_call_recordings_pkey"),
        sa.UniqueConstraint("egress_id", name="nchat_call_recordings_egress_id_key"),
        comment="Recordings of calls and streams.",
    )
    op.create_index("nchat_call_recordings_call_id_idx", "nchat_call_recordings", ["call_id"])
    op.create_index("nchat_call_recordings_expires_at_idx", "nchat_call_recordings", ["expires_at"])
    op.create_index(
        "nchat_call_recordings_one_active_per_call",
        "nchat_call_recordings",
        ["call_id"],
        unique=True,
        postgresql_where=sa.text("status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status])"),
    )
    op.create_index("nchat_call_recordings_started_by_idx", "nchat_call_recordings", ["started_by"])
    op.create_index("nchat_call_recordings_status_idx", "nchat_call_recordings", ["status"])
    op.create_index("nchat_call_recordings_stream_id_idx", "nchat_call_recordings", ["stream_id"])


def create_recording_tracks() -> None:
    op.create_table(
        "nchat_call_recording_tracks",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The recorded track."),
        sa.Column("recording_id", UUID, nullable=False, comment="The recording it belongs to."),
        sa.Column("user_id", UUID, nullable=False, comment="Whose track it is."),
        sa.Column("kind", sa.Text(), nullable=False, comment="LiveKit's source: microphone, camera, screen_share or screen_share_audio."),
        sa.Column("egress_id", sa.String(length=255), comment="LiveKit's egress; null until LiveKit was asked."),
        sa.Column("file_path", sa.String(length=500), comment="Key of the object in the bucket."),
        sa.Column("file_size", sa.BigInteger(), comment="Size in bytes."),
        sa.Column("duration", sa.Integer(), comment="Length in seconds."),
        sa.Column(
            "status",
            enum("recording_status"),
            server_default=sa.text("'starting'::recording_status"),
            nullable=False,
            comment="Where the track's file is in its life.",
        ),
        sa.Column("error_message", sa.Text(), comment="What went wrong, in our own words."),
        sa.CheckConstraint(
            "kind IN ('microphone', 'camera', 'screen_share', 'screen_share_audio')", name=op.f("nchat_call_recording_tracks_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["nchat_call_recordings.id"], name="nchat_call_recording_tracks_recording_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_call_recording_tracks_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_call_recording_tracks_pkey"),
        sa.UniqueConstraint("egress_id", name="nchat_call_recording_tracks_egress_id_key"),
        comment="Individual tracks of a recording.",
    )
    op.create_index("nchat_call_recording_tracks_recording_id_idx", "nchat_call_recording_tracks", ["recording_id"])
    op.create_index("nchat_call_recording_tracks_user_id_idx", "nchat_call_recording_tracks", ["user_id"])
