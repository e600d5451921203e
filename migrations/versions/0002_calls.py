"""Calls."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait, touch_updated_at

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "call_type": ("audio", "video"),
    "call_status": ("initiated", "ringing", "connecting", "connected", "reconnecting", "ended"),
    "call_end_reason": (
        "completed",
        "declined",
        "busy",
        "timeout",
        "cancelled",
        "failed",
        "no_answer",
        "network_error",
        "host_ended",
        "kicked",
    ),
}

TOUCH = """
    CREATE FUNCTION nchat_touch_updated_at() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        NEW.updated_at := now();
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_calls()
    op.execute(TOUCH)
    touch_updated_at("nchat_calls")


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_calls")
    drop_enums(VOCABULARIES)
    op.execute("DROP FUNCTION nchat_touch_updated_at()")


def create_calls() -> None:
    op.create_table(
        "nchat_calls",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The call."),
        sa.Column(
            "room_name",
            sa.String(length=255),
            server_default=sa.text("('call_'::text || gen_random_uuid())"),
            nullable=False,
            comment="Name of the LiveKit room.",
        ),
        sa.Column("room_sid", sa.String(length=255), comment="LiveKit's id of the room's present life."),
        sa.Column("channel_id", UUID, comment="The channel the call belongs to; null for a direct call."),
        sa.Column("initiator_id", UUID, nullable=False, comment="Who started the call."),
        sa.Column("type", enum("call_type"), nullable=False, comment="Audio or video."),
        sa.Column(
            "status",
            enum("call_status"),
            server_default=sa.text("'initiated'::call_status"),
            nullable=False,
            comment="Where the call is in its life.",
        ),
        sa.Column(
            "status_since",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="Since when the status is what it is; timeouts count from here. Not offered through GraphQL.",
        ),
        sa.Column("scheduled_at", TIMESTAMP, comment="When the call is meant to ring."),
        sa.Column("started_at", TIMESTAMP, comment="When the first person was rung or let in."),
        sa.Column("connected_at", TIMESTAMP, comment="When two people were first connected."),
        sa.Column("ended_at", TIMESTAMP, comment="When the call ended."),
        sa.Column("end_reason", enum("call_end_reason"), comment="Why the call ended."),
        sa.Column("max_participants", sa.Integer(), server_default=sa.text("100"), comment="Most people connected at once."),
        sa.Column(
            "e2ee",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Media is end-to-end encrypted; the keys never reach the server.",
        ),
        sa.Column("lobby", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Joiners wait until a host admits them."),
        sa.Column(
            "single_sharer",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="Only one person shares a screen at a time.",
        ),
        sa.Column(
            "ring_timeout_seconds", sa.Integer(), server_default=sa.text("45"), nullable=False, comment="How long it rings, in seconds."
        ),
        sa.Column("client_request_id", UUID, comment="The client's id of the request: repeating it gives the same call."),
        sa.Column("metadata", JSONB, server_default=sa.text("'{}'::jsonb"), comment="The client's own data, at most 8 KB."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the row was written."),
        sa.Column(
            "updated_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row last changed; kept by a trigger.",
        ),
        sa.CheckConstraint("max_participants > 0", name=op.f("nchat_calls_max_participants_check")),
        sa.CheckConstraint("octet_length(metadata::text) <= 8192", name=op.f("nchat_calls_metadata_size_check")),
        sa.CheckConstraint("ring_timeout_seconds > 0", name=op.f("nchat_calls_ring_timeout_seconds_check")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["nchat_channels.id"], name="nchat_calls_channel_id_fkey", initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["initiator_id"], ["nchat_users.id"], name="nchat_calls_initiator_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_calls_pkey"),
        sa.UniqueConstraint("initiator_id", "client_request_id", name="nchat_calls_initiator_id_client_request_id_key"),
        sa.UniqueConstraint("room_name", name="nchat_calls_room_name_key"),
        comment="Voice and video calls.",
    )
    op.create_index("nchat_calls_channel_id_created_at_idx", "nchat_calls", ["channel_id", sa.literal_column("created_at DESC")])
    op.create_index("nchat_calls_channel_id_idx", "nchat_calls", ["channel_id"])
    op.create_index("nchat_calls_channel_id_status_idx", "nchat_calls", ["channel_id", "status"])
    op.create_index("nchat_calls_created_at_idx", "nchat_calls", [sa.literal_column("created_at DESC")])
    op.create_index("nchat_calls_ended_at_idx", "nchat_calls", ["ended_at"])
    op.create_index("nchat_calls_initiator_id_created_at_idx", "nchat_calls", ["initiator_id", sa.literal_column("created_at DESC")])
    op.create_index("nchat_calls_initiator_id_idx", "nchat_calls", ["initiator_id"])
    op.create_index("nchat_calls_started_at_idx", "nchat_calls", ["started_at"])
    op.create_index("nchat_calls_status_idx", "nchat_calls", ["status"])
