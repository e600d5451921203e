"""How long segments are is a setting, and stays for a recording what it was when it began."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

PARTS = "nchat_call_recording_parts"
SECONDS = "How long its recorder was asked to make each segment. Not offered through GraphQL."


def upgrade() -> None:
    limit_lock_wait()
    # Everything so far was asked for 4.
    op.add_column(PARTS, sa.Column("segment_seconds", sa.SmallInteger(), server_default=sa.text("4"), nullable=False, comment=SECONDS))


def downgrade() -> None:
    limit_lock_wait()
    op.drop_column(PARTS, "segment_seconds")
