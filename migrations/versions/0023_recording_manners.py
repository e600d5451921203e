"""How calls are recorded and who agreed to it; events for the deployment's own backend."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import JSONB, TIMESTAMP, UUID, limit_lock_wait

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

CALLS, PARTICIPANTS, OUTBOX = "nchat_calls", "nchat_call_participants", "nchat_event_outbox"


def upgrade() -> None:
    limit_lock_wait()
    op.add_column(
        CALLS,
        sa.Column(
            "auto_record",
            sa.Text(),
            server_default=sa.text("'off'"),
            nullable=False,
            comment="Which arrival starts the recording: off, first, second, host.",
        ),
    )
    op.add_column(
        CALLS,
        sa.Column(
            "recording_consent",
            sa.Text(),
            server_default=sa.text("'notify'"),
            nullable=False,
            comment="Whether people are told of a recording or asked first: notify, ask.",
        ),
    )
    op.add_column(
        CALLS,
        sa.Column(
            "auto_recorded_at",
            TIMESTAMP,
            comment="When the service started the recording by itself; it does so once. Not offered through GraphQL.",
        ),
    )
    op.create_check_constraint(op.f(f"{CALLS}_auto_record_check"), CALLS, "auto_record IN ('off', 'first', 'second', 'host')")
    op.create_check_constraint(op.f(f"{CALLS}_recording_consent_check"), CALLS, "recording_consent IN ('notify', 'ask')")
    op.add_column(PARTICIPANTS, sa.Column("consented_at", TIMESTAMP, comment="When the person agreed to be recorded in this call."))
    create_event_outbox()


def create_event_outbox() -> None:
    now = sa.text("now()")
    op.create_table(
        OUTBOX,
        sa.Column(
            "id",
            UUID,
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="The event, and the id that every try of it carries.",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="recording_finished."),
        sa.Column("recording_id", UUID, comment="The recording it is about."),
        sa.Column("payload", JSONB, nullable=False, comment="What the receiver is told."),
        sa.Column("created_at", TIMESTAMP, server_default=now, nullable=False, comment="When it was written."),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="How often it was tried."),
        sa.Column("next_attempt_at", TIMESTAMP, server_default=now, nullable=False, comment="When it is tried next."),
        sa.Column("taken_until", TIMESTAMP, comment="Until when a process that may have died has it in its hands."),
        sa.Column("sent_at", TIMESTAMP, comment="When the receiver took it; null while it waits."),
        sa.Column("error", sa.Text(), comment="Why the last try failed, in a word."),
        sa.ForeignKeyConstraint(["recording_id"], ["nchat_call_recordings.id"], name=f"{OUTBOX}_recording_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=f"{OUTBOX}_pkey"),
        sa.UniqueConstraint("recording_id", "kind", name=f"{OUTBOX}_recording_id_kind_key"),
        comment="Events for the deployment's own backend.",
    )
    op.create_index(f"{OUTBOX}_waiting_idx", OUTBOX, ["next_attempt_at"], postgresql_where=sa.text("sent_at IS NULL"))


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table(OUTBOX)
    op.drop_column(PARTICIPANTS, "consented_at")
    for check in ("auto_record", "recording_consent"):
        op.drop_constraint(f"{CALLS}_{check}_check", CALLS)
    for column in ("auto_recorded_at", "recording_consent", "auto_record"):
        op.drop_column(CALLS, column)
