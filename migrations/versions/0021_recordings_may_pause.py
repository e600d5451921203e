"""A recording may pause: PostgreSQL lets nobody use a new word of an enum before it is committed, so it has a revision of its own."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_lock_wait()
    op.execute("ALTER TYPE recording_status ADD VALUE IF NOT EXISTS 'paused' AFTER 'recording'")


def downgrade() -> None:
    limit_lock_wait()
    # The word stays: PostgreSQL takes none out of an enum, and nobody writes it any more.
