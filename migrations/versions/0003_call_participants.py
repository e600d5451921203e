"""Participants of calls."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "participant_role": ("host", "co_host", "participant", "viewer"),
    "participant_status": ("invited", "ringing", "connecting", "connected", "disconnected", "left", "kicked"),
    "connection_quality": ("excellent", "good", "poor", "lost"),
}


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_participants()
    create_absences()


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_call_absences")
    op.drop_table("nchat_call_participants")
    drop_enums(VOCABULARIES)


def create_participants() -> None:
    op.create_table(
        "nchat_call_participants",
        sa.Column(
            "id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The participation; one per call and user."
        ),
        sa.Column("call_id", UUID, nullable=False, comment="The call."),
        sa.Column("user_id", UUID, nullable=False, comment="The person."),
        sa.Column("participant_sid", sa.String(length=255), comment="LiveKit's id of the present connection."),
        sa.Column(
            "role",
            enum("participant_role"),
            server_default=sa.text("'participant'::participant_role"),
            nullable=False,
            comment="What the person may do in the call.",
        ),
        sa.Column(
            "status",
            enum("participant_status"),
            server_default=sa.text("'invited'::participant_status"),
            nullable=False,
            comment="Where the person is; kicked is a block until a host lifts it.",
        ),
        sa.Column(
            "status_since",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="Since when the status is what it is; timeouts count from here. Not offered through GraphQL.",
        ),
        sa.Column(
            "invited_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the person was asked to the call."
        ),
        sa.Column("joined_at", TIMESTAMP, comment="When the person was first connected."),
        sa.Column("left_at", TIMESTAMP, comment="When the person left."),
        sa.Column(
            "leave_reason", sa.String(length=100), comment="Why the person left: user_left, missed, declined, network_error and others."
        ),
        sa.Column(
            "is_muted",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The microphone is muted, as last said or seen.",
        ),
        sa.Column(
            "is_video_enabled",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The camera is on, as last said or seen.",
        ),
        sa.Column("is_screen_sharing", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="A screen is being shared."),
        sa.Column("screen_share_asked_at", TIMESTAMP, comment="Since when the person may publish a screen. Not offered through GraphQL."),
        sa.Column("connection_quality", enum("connection_quality"), comment="As last reported; null when unknown."),
        sa.Column("hand_raised_at", TIMESTAMP, comment="Since when the hand is up."),
        sa.Column("lobby_waiting_since", TIMESTAMP, comment="Since when the person waits to be admitted."),
        sa.Column("metadata", JSONB, server_default=sa.text("'{}'::jsonb"), comment="The participant's own data, at most 8 KB."),
        sa.CheckConstraint("octet_length(metadata::text) <= 8192", name=op.f("nchat_call_participants_metadata_size_check")),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_call_participants_call_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_call_participants_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_call_participants_pkey"),
        sa.UniqueConstraint("call_id", "user_id", name="nchat_call_participants_call_id_user_id_key"),
        comment="Participants of calls.",
    )
    op.create_index("nchat_call_participants_call_id_idx", "nchat_call_participants", ["call_id"])
    op.create_index(
        "nchat_call_participants_kicked_idx",
        "nchat_call_participants",
        ["status_since"],
        postgresql_where=sa.text("status = 'kicked'::participant_status"),
    )
    op.create_index("nchat_call_participants_status_idx", "nchat_call_participants", ["status"])
    op.create_index(
        "nchat_call_participants_user_id_status_idx", "nchat_call_participants", ["user_id", "status"], postgresql_include=["call_id"]
    )


def create_absences() -> None:
    op.create_table(
        "nchat_call_absences",
        sa.Column("participant_id", UUID, nullable=False, comment="Who was missing."),
        sa.Column(
            "first_missed_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="The first of the looks in a row that did not find the person.",
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"], ["nchat_call_participants.id"], name="nchat_call_absences_participant_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("participant_id", name="nchat_call_absences_pkey"),
        comment="People whom the reconciler did not find in the room, until it does or closes their connection.",
    )
