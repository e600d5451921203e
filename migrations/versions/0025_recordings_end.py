"""Indexes for what is still to be done for finished recordings: removed when they expire, joined to one file; old events purged."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

RECORDINGS, OUTBOX = "nchat_call_recordings", "nchat_event_outbox"


def upgrade() -> None:
    limit_lock_wait()
    op.create_index(
        f"{RECORDINGS}_expiring_idx",
        RECORDINGS,
        ["expires_at"],
        postgresql_where=sa.text("delete_asked_at IS NULL AND expires_at IS NOT NULL"),
    )
    op.create_index(
        f"{RECORDINGS}_joining_idx",
        RECORDINGS,
        ["next_work_at"],
        postgresql_where=sa.text("status = 'ready'::recording_status AND join_progress < 100"),
    )
    op.create_index(f"{OUTBOX}_created_at_idx", OUTBOX, ["created_at"])


def downgrade() -> None:
    limit_lock_wait()
    op.drop_index(f"{OUTBOX}_created_at_idx", OUTBOX)
    op.drop_index(f"{RECORDINGS}_joining_idx", RECORDINGS)
    op.drop_index(f"{RECORDINGS}_expiring_idx", RECORDINGS)
