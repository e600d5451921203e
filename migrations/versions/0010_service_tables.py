"""What the service keeps for itself: ICE servers, webhooks, retention, pushes."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TEXT_ARRAY, TIMESTAMP, UUID, limit_lock_wait, touch_updated_at

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


POLICIES = "INSERT INTO nchat_retention_policies (name, retention_days) VALUES ('free', 7), ('pro', 30), ('enterprise', 365)"


def upgrade() -> None:
    limit_lock_wait()
    create_ice_servers()
    create_webhook_events()
    create_retention_policies()
    create_push_outbox()
    op.execute(POLICIES)
    touch_updated_at("nchat_ice_servers")


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_push_outbox")
    op.drop_table("nchat_retention_policies")
    op.drop_table("nchat_webhook_events")
    op.drop_table("nchat_ice_servers")


def create_ice_servers() -> None:
    op.create_table(
        "nchat_ice_servers",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The server entry."),
        sa.Column("urls", TEXT_ARRAY, nullable=False, comment="stun:, turn: and turns: addresses."),
        sa.Column("username", sa.String(length=255), comment="Fixed user name, when the server has no shared secret."),
        sa.Column("credential_encrypted", sa.String(length=500), comment="Its password, encrypted at rest."),
        sa.Column("region", sa.String(length=50), comment="Region it serves; null is everywhere."),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="Higher comes first."),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Given to clients."),
        sa.Column("last_health_check", TIMESTAMP, comment="When it was last looked at."),
        sa.Column("health_status", sa.String(length=20), server_default=sa.text("'unknown'"), comment="What the last look found."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the row was written."),
        sa.Column(
            "updated_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the row last changed; kept by a trigger.",
        ),
        sa.PrimaryKeyConstraint("id", name="nchat_ice_servers_pkey"),
        comment="STUN and TURN servers.",
    )
    op.create_index("nchat_ice_servers_is_active_idx", "nchat_ice_servers", ["is_active"])
    op.create_index("nchat_ice_servers_priority_idx", "nchat_ice_servers", ["priority"])
    op.create_index("nchat_ice_servers_region_idx", "nchat_ice_servers", ["region"])


def create_webhook_events() -> None:
    op.create_table(
        "nchat_webhook_events",
        sa.Column("id", sa.Text(), nullable=False, comment="LiveKit's id of the event: a second delivery changes nothing."),
        sa.Column("event", sa.Text(), nullable=False, comment="Kind of event, for example participant_joined."),
        sa.Column("payload", JSONB, nullable=False, comment="The allowed part of the event."),
        sa.Column("received_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it was stored."),
        sa.Column("processed_at", TIMESTAMP, comment="When it was dealt with; null while it waits."),
        sa.Column("error", sa.Text(), comment="Why processing failed last."),
        sa.Column(
            "attempts",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often processing was begun and not finished.",
        ),
        sa.Column(
            "next_attempt_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="Not processed before this moment: the delay grows with every attempt.",
        ),
        sa.PrimaryKeyConstraint("id", name="nchat_webhook_events_pkey"),
        comment="Webhooks of LiveKit.",
    )
    op.create_index(
        "nchat_webhook_events_participant_sid_idx", "nchat_webhook_events", [sa.literal_column("(payload #>> '{participant,sid}')")]
    )
    op.create_index("nchat_webhook_events_received_at_idx", "nchat_webhook_events", ["received_at"])
    op.create_index(
        "nchat_webhook_events_waiting_idx", "nchat_webhook_events", ["received_at", "id"], postgresql_where=sa.text("processed_at IS NULL")
    )


def create_retention_policies() -> None:
    op.create_table(
        "nchat_retention_policies",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The policy."),
        sa.Column("name", sa.Text(), nullable=False, comment="Its name: free, pro, enterprise or a deployment's own."),
        sa.Column("retention_days", sa.Integer(), nullable=False, comment="Days from the end of a recording until it is removed."),
        sa.Column("apply_to", sa.Text(), server_default=sa.text("'all'"), nullable=False, comment="all, channel or user."),
        sa.Column("target_id", UUID, comment="The channel or user; null for all."),
        sa.CheckConstraint("(apply_to = 'all') = (target_id IS NULL)", name=op.f("nchat_retention_policies_target_check")),
        sa.CheckConstraint("apply_to IN ('all', 'channel', 'user')", name=op.f("nchat_retention_policies_apply_to_check")),
        sa.CheckConstraint("retention_days > 0", name=op.f("nchat_retention_policies_retention_days_check")),
        sa.PrimaryKeyConstraint("id", name="nchat_retention_policies_pkey"),
        sa.UniqueConstraint("apply_to", "target_id", name="nchat_retention_policies_apply_to_target_id_key"),
        comment="Retention of recordings.",
    )
    op.create_index(
        "nchat_retention_policies_one_name_for_all",
        "nchat_retention_policies",
        ["name"],
        unique=True,
        postgresql_where=sa.text("target_id IS NULL"),
    )


def create_push_outbox() -> None:
    op.create_table(
        "nchat_push_outbox",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The push."),
        sa.Column("user_id", UUID, nullable=False, comment="To whom."),
        sa.Column("kind", sa.Text(), nullable=False, comment="ring, cancel, missed, answered_elsewhere or stream_reminder."),
        sa.Column("payload", JSONB, nullable=False, comment="What the device shows."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it was written."),
        sa.Column("sent_at", TIMESTAMP, comment="When the push service took it; null while it waits."),
        sa.CheckConstraint(
            "kind IN ('ring', 'cancel', 'missed', 'answered_elsewhere', 'stream_reminder')", name=op.f("nchat_push_outbox_kind_check")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_push_outbox_user_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="nchat_push_outbox_pkey"),
        comment="Pushes to people's devices.",
    )
    op.create_index("nchat_push_outbox_user_id_idx", "nchat_push_outbox", ["user_id"])
    op.create_index("nchat_push_outbox_waiting_idx", "nchat_push_outbox", ["created_at"], postgresql_where=sa.text("sent_at IS NULL"))
