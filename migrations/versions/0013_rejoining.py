"""When a connected person asked for another connection: the end of the first is then no farewell."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_lock_wait()
    op.add_column(
        "nchat_call_participants",
        sa.Column(
            "rejoining_since",
            TIMESTAMP,
            comment="Since when a new connection of a connected person is awaited. Not offered through GraphQL.",
        ),
    )


def downgrade() -> None:
    limit_lock_wait()
    op.drop_column("nchat_call_participants", "rejoining_since")
