"""Streams."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait, touch_updated_at

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "stream_visibility": ("public", "channel_members", "invite_only"),
    "stream_status": ("scheduled", "starting", "live", "ending", "ended", "cancelled"),
}


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_streams()
    touch_updated_at("nchat_streams")


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_streams")
    drop_enums(VOCABULARIES)


def create_streams() -> None:
    op.create_table(
        "nchat_streams",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The stream."),
        sa.Column("channel_id", UUID, nullable=False, comment="The channel it belongs to."),
        sa.Column("host_id", UUID, nullable=False, comment="Who streams."),
        sa.Column("call_id", UUID, comment="The call that is being broadcast."),
        sa.Column(
            "room_name",
            sa.String(length=255),
            server_default=sa.text("('stream_'::text || gen_random_uuid())"),
            nullable=False,
            comment="Name of the LiveKit room.",
        ),
        sa.Column("room_sid", sa.String(length=255), comment="LiveKit's id of the room's present life."),
        sa.Column("title", sa.String(length=255), nullable=False, comment="Title."),
        sa.Column("description", sa.Text(), comment="What it is about."),
        sa.Column(
            "visibility",
            enum("stream_visibility"),
            server_default=sa.text("'channel_members'::stream_visibility"),
            nullable=False,
            comment="Who may watch.",
        ),
        sa.Column(
            "status",
            enum("stream_status"),
            server_default=sa.text("'scheduled'::stream_status"),
            nullable=False,
            comment="Where the stream is in its life.",
        ),
        sa.Column("hls_url", sa.String(length=500), comment="Address of the HLS playlist; answers for public streams only."),
        sa.Column("dash_url", sa.String(length=500), comment="Address of the DASH manifest; null without a packager."),
        sa.Column("rtmp_ingest_url", sa.String(length=500), comment="Where the host's encoder sends to."),
        sa.Column("chat_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Viewers may chat."),
        sa.Column("reactions_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Viewers may react."),
        sa.Column(
            "slow_mode_seconds",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="Least time between two chat messages of one person, in seconds; 0 is off.",
        ),
        sa.Column("record_stream", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="The stream is recorded."),
        sa.Column("viewer_count", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Viewers now."),
        sa.Column("peak_viewers", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Most viewers at once."),
        sa.Column("total_views", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Viewer sessions so far."),
        sa.Column("total_reactions", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Reactions so far."),
        sa.Column("scheduled_at", TIMESTAMP, comment="When the stream is meant to start."),
        sa.Column("started_at", TIMESTAMP, comment="When it went live."),
        sa.Column("ended_at", TIMESTAMP, comment="When it ended."),
        sa.Column("recording_id", UUID, comment="Its recording."),
        sa.Column("client_request_id", UUID, comment="The client's id of the request: repeating it gives the same stream."),
        sa.Column("metadata", JSONB, server_default=sa.text("'{}'::jsonb"), comment="The service's own notes, for example why it failed."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the row was written."),
        sa.Column(
            "updated_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row last changed; kept by a trigger.",
        ),
        sa.CheckConstraint("slow_mode_seconds >= 0", name=op.f("nchat_streams_slow_mode_seconds_check")),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_streams_call_id_fkey"),
        sa.ForeignKeyConstraint(["channel_id"], ["nchat_channels.id"], name="nchat_streams_channel_id_fkey"),
        sa.ForeignKeyConstraint(["host_id"], ["nchat_users.id"], name="nchat_streams_host_id_fkey"),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["nchat_call_recordings.id"], name="nchat_streams_recording_id_fkey", ondelete="SET NULL", use_alter=True
        ),
        sa.PrimaryKeyConstraint("id", name="nchat_streams_pkey"),
        sa.UniqueConstraint("host_id", "client_request_id", name="nchat_streams_host_id_client_request_id_key"),
        sa.UniqueConstraint("room_name", name="nchat_streams_room_name_key"),
        comment="Live streams.",
    )
    op.create_index("nchat_streams_call_id_idx", "nchat_streams", ["call_id"])
    op.create_index("nchat_streams_channel_id_idx", "nchat_streams", ["channel_id"])
    op.create_index("nchat_streams_channel_id_status_idx", "nchat_streams", ["channel_id", "status"])
    op.create_index("nchat_streams_host_id_idx", "nchat_streams", ["host_id"])
    op.create_index("nchat_streams_recording_id_idx", "nchat_streams", ["recording_id"])
    op.create_index("nchat_streams_scheduled_at_idx", "nchat_streams", ["scheduled_at"])
    op.create_index("nchat_streams_status_idx", "nchat_streams", ["status"])
