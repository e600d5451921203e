"""The waiting webhooks of a room, found without looking through those of all others."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEX = "nchat_webhook_events_waiting_room_idx"
ROOM: sa.ColumnClause[str] = sa.literal_column("(payload #>> '{room,name}')")


def upgrade() -> None:
    limit_lock_wait()
    op.create_index(INDEX, "nchat_webhook_events", [ROOM], postgresql_where=sa.text("processed_at IS NULL"))


def downgrade() -> None:
    limit_lock_wait()
    op.drop_index(INDEX, "nchat_webhook_events")
