"""Whether LiveKit confirmed that the room of what has ended is gone. Rows from before say no: each is looked at once."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait, touch_updated_at

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = {"nchat_calls": "call", "nchat_streams": "stream"}
OPEN = sa.text("ended_at IS NOT NULL AND room_closed_at IS NULL")


def upgrade() -> None:
    limit_lock_wait()
    for table, noun in TABLES.items():
        comment = f"When LiveKit confirmed that the ended {noun}'s room is gone. Not offered through GraphQL."
        op.add_column(table, sa.Column("room_closed_at", TIMESTAMP, comment=comment))
        op.create_index(f"{table}_room_open_idx", table, ["ended_at"], postgresql_where=OPEN)
        # The mark is bookkeeping: nothing that anybody reads has changed with it.
        op.execute(f"DROP TRIGGER {table}_updated_at ON {table}")
        touch_updated_at(table, but_not_with="room_closed_at")


def downgrade() -> None:
    limit_lock_wait()
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_updated_at ON {table}")
        op.drop_column(table, "room_closed_at")
        touch_updated_at(table)
