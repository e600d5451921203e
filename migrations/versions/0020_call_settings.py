"""How people want to be rung, and how a channel's calls are recorded."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TEXT_ARRAY, TIMESTAMP, UUID, limit_lock_wait

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TERMS = "nchat_channel_call_settings_visible_blocked_terms"


def upgrade() -> None:
    limit_lock_wait()
    create_user_call_settings()
    create_channel_call_settings()
    # Quoted, with names of full length: a body that PostgreSQL reads at once would tie the deployment's own table to it.
    op.execute("""
        CREATE FUNCTION nchat_channel_call_settings_visible_blocked_terms(settings nchat_channel_call_settings, hasura_session json)
        RETURNS text[]
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT CASE WHEN EXISTS (
                SELECT FROM public.nchat_channel_members AS member
                WHERE member.channel_id = (settings).channel_id AND member.user_id::text = hasura_session ->> 'x-hasura-user-id'
                    AND member.role::text IN ('owner', 'admin', 'moderator')
            ) THEN (settings).blocked_terms END
        $$
    """)
    op.execute(f"COMMENT ON FUNCTION {TERMS} IS 'The blocked terms; null for those who do not manage the channel.'")


def create_user_call_settings() -> None:
    op.create_table(
        "nchat_user_call_settings",
        sa.Column("user_id", UUID, nullable=False, comment="Whose settings these are."),
        sa.Column("dnd_until", TIMESTAMP, comment="Until then nobody rings; null or over: no rest is asked for."),
        sa.Column(
            "ring_from",
            sa.Text(),
            server_default=sa.text("'anyone'"),
            nullable=False,
            comment="anyone, channel_members or nobody.",
        ),
        sa.CheckConstraint("ring_from IN ('anyone', 'channel_members', 'nobody')", name=op.f("nchat_user_call_settings_ring_from_check")),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_user_call_settings_user_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="nchat_user_call_settings_pkey"),
        comment="How a person wants to be rung. A person without a row is rung by anyone.",
    )


def create_channel_call_settings() -> None:
    op.create_table(
        "nchat_channel_call_settings",
        sa.Column("channel_id", UUID, nullable=False, comment="Whose settings these are."),
        sa.Column(
            "auto_record",
            sa.Text(),
            server_default=sa.text("'off'"),
            nullable=False,
            comment="Which arrival starts the recording of a call: off, first, second, host.",
        ),
        sa.Column(
            "recording_consent",
            sa.Text(),
            server_default=sa.text("'notify'"),
            nullable=False,
            comment="Whether people are told of a recording or asked first: notify, ask.",
        ),
        sa.Column(
            "blocked_terms",
            TEXT_ARRAY,
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Words that the chat of the channel's streams refuses. For those who manage the channel.",
        ),
        sa.CheckConstraint("auto_record IN ('off', 'first', 'second', 'host')", name=op.f("nchat_channel_call_settings_auto_record_check")),
        sa.CheckConstraint("recording_consent IN ('notify', 'ask')", name=op.f("nchat_channel_call_settings_recording_consent_check")),
        sa.CheckConstraint("cardinality(blocked_terms) <= 500", name=op.f("nchat_channel_call_settings_blocked_terms_check")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["nchat_channels.id"], name="nchat_channel_call_settings_channel_id_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel_id", name="nchat_channel_call_settings_pkey"),
        comment="Settings of a channel's calls. A channel without a row has the defaults.",
    )


def downgrade() -> None:
    limit_lock_wait()
    op.execute(f"DROP FUNCTION {TERMS}")
    op.drop_table("nchat_channel_call_settings")
    op.drop_table("nchat_user_call_settings")
