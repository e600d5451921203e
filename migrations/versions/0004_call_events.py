"""Events of calls, numbered by a counter that starts with the call."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, limit_lock_wait

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# Every call has a history, also one that a role inserts through the table: the first event and the counter come with the row.
BEGIN_HISTORY = """
    CREATE FUNCTION nchat_begin_call_history() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
    BEGIN
        INSERT INTO nchat_call_counters (call_id, event_seq) VALUES (NEW.id, 1);
        INSERT INTO nchat_call_events (call_id, seq, kind, actor_id) VALUES (NEW.id, 1, 'call_initiate', NEW.initiator_id);
        RETURN NULL;
    END $$
"""
ON_INSERT = """
    CREATE TRIGGER nchat_calls_begin_history AFTER INSERT ON nchat_calls
    FOR EACH ROW EXECUTE FUNCTION nchat_begin_call_history()
"""


def upgrade() -> None:
    limit_lock_wait()
    create_counters()
    create_events()
    op.execute(BEGIN_HISTORY)
    op.execute(ON_INSERT)


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP TRIGGER nchat_calls_begin_history ON nchat_calls")
    op.execute("DROP FUNCTION nchat_begin_call_history()")
    op.drop_table("nchat_call_events")
    op.drop_table("nchat_call_counters")


def create_counters() -> None:
    op.create_table(
        "nchat_call_counters",
        sa.Column("call_id", UUID, nullable=False, comment="The call."),
        sa.Column("event_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="Sequence number of the last event."),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_call_counters_call_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", name="nchat_call_counters_pkey"),
        comment="Last event number of each call.",
    )


def create_events() -> None:
    op.create_table(
        "nchat_call_events",
        sa.Column("call_id", UUID, nullable=False, comment="The call."),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="1, 2, 3 … within the call, without gaps."),
        sa.Column("kind", sa.Text(), nullable=False, comment="What happened, for example call_state_changed."),
        sa.Column("actor_id", UUID, comment="Who did it; null when the service did."),
        sa.Column("payload", JSONB, server_default=sa.text("'{}'::jsonb"), nullable=False, comment="Facts that belong to the kind."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it happened."),
        sa.CheckConstraint("kind ~ '^[a-z][a-z_]*$'", name=op.f("nchat_call_events_kind_check")),
        sa.ForeignKeyConstraint(["actor_id"], ["nchat_users.id"], name="nchat_call_events_actor_id_fkey"),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_call_events_call_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "seq", name="nchat_call_events_pkey"),
        comment="Events of calls, numbered without gaps.",
    )
    op.create_index("nchat_call_events_actor_id_idx", "nchat_call_events", ["actor_id"])
