"""A recording is made of parts, one egress each; individual tracks are parts with a person."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, enum, limit_lock_wait

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

RECORDINGS, PARTS, TRACKS = "nchat_call_recordings", "nchat_call_recording_parts", "nchat_call_recording_tracks"
SOURCES = "('microphone', 'camera', 'screen_share', 'screen_share_audio')"
BEFORE = "status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status])"
ACTIVE = "status = ANY (ARRAY['starting'::recording_status, 'recording'::recording_status, 'paused'::recording_status])"
UNFINISHED = ACTIVE.replace("])", ", 'processing'::recording_status])")
OPEN = UNFINISHED.replace(" 'paused'::recording_status,", "")
FILL_STATUS_SINCE = f"""
    UPDATE {RECORDINGS} SET next_work_at = created_at,
        status_since = CASE WHEN status IN ('starting', 'recording') THEN coalesce(started_at, created_at)
            ELSE coalesce(ended_at, updated_at) END
"""
COPY_TRACKS = f"""
    INSERT INTO {PARTS} (id, recording_id, index, kind, user_id, track_kind, egress_id, status, status_since, file_path, file_size,
        duration, error_message, created_at, asked_at, closed_at)
    SELECT track.id, track.recording_id,
        row_number() OVER (PARTITION BY track.recording_id ORDER BY track.user_id, track.kind, track.id) - 1,
        'track', track.user_id, track.kind, track.egress_id, track.status, recording.status_since, track.file_path, track.file_size,
        track.duration, track.error_message, recording.created_at, recording.created_at, recording.ended_at
    FROM {TRACKS} AS track JOIN {RECORDINGS} AS recording ON recording.id = track.recording_id
"""
# What was recorded, or is being recorded, in one piece is part 0.
COPY_FILES = f"""
    INSERT INTO {PARTS} (recording_id, index, egress_id, status, status_since, media_started_at, ended_at, file_path, file_size, duration,
        error_message, created_at, asked_at, closed_at)
    SELECT id, 0, egress_id, status, status_since, started_at, ended_at, file_path, file_size, duration,
        error_message, created_at, created_at, ended_at
    FROM {RECORDINGS} AS recording
    WHERE (file_path IS NOT NULL OR egress_id IS NOT NULL)
        AND NOT EXISTS (SELECT FROM {PARTS} AS part WHERE part.recording_id = recording.id)
"""
COPY_BACK = f"""
    INSERT INTO {TRACKS} (id, recording_id, user_id, kind, egress_id, file_path, file_size, duration, status, error_message)
    SELECT id, recording_id, user_id, track_kind, egress_id, file_path, file_size, duration::integer, status, error_message
    FROM {PARTS} WHERE kind = 'track'
"""


def upgrade() -> None:
    limit_lock_wait()
    for column in recording_columns():
        op.add_column(RECORDINGS, column)
    op.execute(FILL_STATUS_SINCE)
    op.execute(f"UPDATE {RECORDINGS} SET media_started_at = started_at WHERE file_path IS NOT NULL")
    constrain_recordings()
    create_parts()
    op.execute(COPY_TRACKS)
    op.execute(COPY_FILES)
    op.drop_table(TRACKS)


def recording_columns() -> list[sa.Column[object]]:
    now = sa.text("now()")
    return [
        sa.Column("title", sa.String(255), comment="What people call it."),
        sa.Column(
            "status_since",
            TIMESTAMP,
            server_default=now,
            nullable=False,
            comment="Since when the status is what it is; timeouts count from here. Not offered through GraphQL.",
        ),
        sa.Column("custom_layout", sa.Text(), comment="Name of the template of a custom layout. Not offered through GraphQL."),
        sa.Column("file_reason", sa.Text(), comment="Why there is no file although there is media; the playlist plays in any case."),
        sa.Column(
            "join_progress", sa.SmallInteger(), comment="Percent of the parts that are joined to one file; null where nothing is joined."
        ),
        sa.Column(
            "gaps",
            JSONB,
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
            comment="What is missing between the first frame and the last: a list of from, to (times) and reason: paused, lost or storage.",
        ),
        sa.Column("source_recording_id", UUID, comment="The recording that this is a clip of."),
        sa.Column("clip_from", sa.Double(), comment="Where a clip begins, in seconds of its source's playlist."),
        sa.Column("clip_to", sa.Double(), comment="Where a clip ends, in seconds of its source's playlist."),
        sa.Column(
            "keep",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Kept beyond the stream that it records. Not offered through GraphQL.",
        ),
        sa.Column("media_started_at", TIMESTAMP, comment="When the first frame was recorded."),
        sa.Column("tier", sa.Text(), comment="The starter's tier, which may name a retention policy. Not offered through GraphQL."),
        sa.Column("consent_asked_at", TIMESTAMP, comment="Since when everybody's consent is awaited. Not offered through GraphQL."),
        sa.Column("pause_asked_at", TIMESTAMP, comment="When the present pause was asked for. Not offered through GraphQL."),
        sa.Column("delete_asked_at", TIMESTAMP, comment="When the removal was asked for. Not offered through GraphQL."),
        sa.Column(
            "work_attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often joining or removing was tried in vain.",
        ),
        sa.Column(
            "next_work_at",
            TIMESTAMP,
            server_default=now,
            nullable=False,
            comment="When joining or removing is tried next. Not offered through GraphQL.",
        ),
        sa.Column(
            "work_taken_until",
            TIMESTAMP,
            comment="Until when a process that may have died joins or removes it. Not offered through GraphQL.",
        ),
    ]


def constrain_recordings() -> None:
    op.create_check_constraint(op.f(f"{RECORDINGS}_clip_check"), RECORDINGS, "clip_from >= 0 AND clip_to > clip_from")
    op.create_foreign_key(
        f"{RECORDINGS}_source_recording_id_fkey", RECORDINGS, RECORDINGS, ["source_recording_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index(f"{RECORDINGS}_source_recording_id_idx", RECORDINGS, ["source_recording_id"])
    op.drop_index(f"{RECORDINGS}_one_active_per_call", RECORDINGS)
    for source in ("call", "stream"):
        op.create_index(
            f"{RECORDINGS}_one_active_per_{source}", RECORDINGS, [f"{source}_id"], unique=True, postgresql_where=sa.text(ACTIVE)
        )
    op.create_index(f"{RECORDINGS}_unfinished_idx", RECORDINGS, ["status_since"], postgresql_where=sa.text(UNFINISHED))
    op.create_index(
        f"{RECORDINGS}_delete_asked_idx",
        RECORDINGS,
        ["delete_asked_at"],
        postgresql_where=sa.text("delete_asked_at IS NOT NULL AND status <> 'deleted'::recording_status"),
    )
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.egress_id IS 'LiveKit''s egress of a recording from before there were parts.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.duration IS 'Length of the media in seconds, pauses and losses not counted.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.storage_bucket IS 'Bucket of the objects.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.started_at IS 'When it was asked for.'")


def create_parts() -> None:
    now = sa.text("now()")
    op.create_table(
        PARTS,
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The part."),
        sa.Column("recording_id", UUID, nullable=False, comment="The recording it belongs to."),
        sa.Column("index", sa.Integer(), nullable=False, comment="Its place in the recording, from 0."),
        sa.Column(
            "kind", sa.Text(), server_default=sa.text("'composite'"), nullable=False, comment="composite, or track: of one person alone."
        ),
        sa.Column("user_id", UUID, comment="Whose track it is; null for a composite."),
        sa.Column("track_kind", sa.Text(), comment="LiveKit's source: microphone, camera, screen_share or screen_share_audio."),
        sa.Column("track_sid", sa.String(255), comment="LiveKit's id of the track. Not offered through GraphQL."),
        sa.Column("egress_id", sa.String(255), comment="LiveKit's egress; null until LiveKit answered."),
        sa.Column(
            "status",
            enum("recording_status"),
            server_default=sa.text("'starting'::recording_status"),
            nullable=False,
            comment="Where the part is in its life.",
        ),
        sa.Column(
            "status_since",
            TIMESTAMP,
            server_default=now,
            nullable=False,
            comment="Since when the status is what it is. Not offered through GraphQL.",
        ),
        sa.Column("asked_at", TIMESTAMP, comment="When LiveKit was asked for the egress; null until then. Not offered through GraphQL."),
        sa.Column("stop_asked_at", TIMESTAMP, comment="When its end was decided. Not offered through GraphQL."),
        sa.Column("stop_told_at", TIMESTAMP, comment="When LiveKit was last asked to end it. Not offered through GraphQL."),
        sa.Column("absent_since", TIMESTAMP, comment="Since when the egress is not seen in the room. Not offered through GraphQL."),
        sa.Column("media_started_at", TIMESTAMP, comment="When its first frame was recorded."),
        sa.Column("ended_at", TIMESTAMP, comment="When its last frame was recorded. Not offered through GraphQL."),
        sa.Column("closed_at", TIMESTAMP, comment="When LiveKit said its last word of it, or was given up. Not offered through GraphQL."),
        sa.Column("end_reason", sa.Text(), comment="Why it ended: stopped, paused, lost, storage or limit. Not offered through GraphQL."),
        sa.Column("segments", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Segments seen in its playlist."),
        sa.Column("segment_at", TIMESTAMP, comment="When a new segment was last seen in its playlist. Not offered through GraphQL."),
        sa.Column(
            "next_look_at",
            TIMESTAMP,
            server_default=now,
            nullable=False,
            comment="When its storage is looked at next. Not offered through GraphQL.",
        ),
        sa.Column("duration", sa.Double(), comment="Length of its media in seconds."),
        sa.Column("path_prefix", sa.Text(), comment="What the keys of all its objects begin with; null for what is older than parts."),
        sa.Column("file_path", sa.String(500), comment="Key of its file in the bucket, once seen there."),
        sa.Column("file_size", sa.BigInteger(), comment="Size of its file in bytes."),
        sa.Column("error_message", sa.Text(), comment="What went wrong, in our own words."),
        sa.Column("created_at", TIMESTAMP, server_default=now, nullable=False, comment="When the row was written."),
        sa.CheckConstraint("kind IN ('composite', 'track')", name=op.f(f"{PARTS}_kind_check")),
        sa.CheckConstraint(f"track_kind IN {SOURCES}", name=op.f(f"{PARTS}_track_kind_check")),
        sa.CheckConstraint("end_reason IN ('stopped', 'paused', 'lost', 'storage', 'limit')", name=op.f(f"{PARTS}_end_reason_check")),
        sa.CheckConstraint("(kind = 'track') = (user_id IS NOT NULL AND track_kind IS NOT NULL)", name=op.f(f"{PARTS}_track_check")),
        sa.ForeignKeyConstraint(["recording_id"], [f"{RECORDINGS}.id"], name=f"{PARTS}_recording_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name=f"{PARTS}_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name=f"{PARTS}_pkey"),
        sa.UniqueConstraint("recording_id", "index", name=f"{PARTS}_recording_id_index_key"),
        sa.UniqueConstraint("egress_id", name=f"{PARTS}_egress_id_key"),
        comment="Parts of recordings: one egress each.",
    )
    op.create_index(f"{PARTS}_user_id_idx", PARTS, ["user_id"])
    op.create_index(f"{PARTS}_open_idx", PARTS, ["recording_id"], postgresql_where=sa.text(OPEN))


def downgrade() -> None:
    limit_lock_wait()
    # Parts that are no tracks are forgotten; a pause counts as the end.
    create_tracks()
    op.execute(COPY_BACK)
    op.drop_table(PARTS)
    for source in ("call", "stream"):
        op.drop_index(f"{RECORDINGS}_one_active_per_{source}", RECORDINGS)
    op.drop_index(f"{RECORDINGS}_unfinished_idx", RECORDINGS)
    op.drop_index(f"{RECORDINGS}_delete_asked_idx", RECORDINGS)
    op.execute(f"UPDATE {RECORDINGS} SET status = 'processing' WHERE status = 'paused'")
    for column in recording_columns():
        op.drop_column(RECORDINGS, column.name)
    op.create_index(f"{RECORDINGS}_one_active_per_call", RECORDINGS, ["call_id"], unique=True, postgresql_where=sa.text(BEFORE))
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.egress_id IS 'LiveKit''s egress; null until LiveKit was asked.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.duration IS 'Length in seconds.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.storage_bucket IS 'Bucket of the object.'")
    op.execute(f"COMMENT ON COLUMN {RECORDINGS}.started_at IS 'When recording began.'")


def create_tracks() -> None:
    op.create_table(
        TRACKS,
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The recorded track."),
        sa.Column("recording_id", UUID, nullable=False, comment="The recording it belongs to."),
        sa.Column("user_id", UUID, nullable=False, comment="Whose track it is."),
        sa.Column("kind", sa.Text(), nullable=False, comment="LiveKit's source: microphone, camera, screen_share or screen_share_audio."),
        sa.Column("egress_id", sa.String(255), comment="LiveKit's egress; null until LiveKit was asked."),
        sa.Column("file_path", sa.String(500), comment="Key of the object in the bucket."),
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
        sa.CheckConstraint(f"kind IN {SOURCES}", name=op.f(f"{TRACKS}_kind_check")),
        sa.ForeignKeyConstraint(["recording_id"], [f"{RECORDINGS}.id"], name=f"{TRACKS}_recording_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name=f"{TRACKS}_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name=f"{TRACKS}_pkey"),
        sa.UniqueConstraint("egress_id", name=f"{TRACKS}_egress_id_key"),
    )
    op.create_index(f"{TRACKS}_recording_id_idx", TRACKS, ["recording_id"])
    op.create_index(f"{TRACKS}_user_id_idx", TRACKS, ["user_id"])
