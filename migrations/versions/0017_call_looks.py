"""The reconciler's last closer look at each living call."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, limit_lock_wait

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_lock_wait()
    op.create_table(
        "nchat_call_looks",
        sa.Column("call_id", UUID, nullable=False, comment="The call."),
        sa.Column("room_sid", sa.String(length=255), comment="LiveKit's id of the room's life that was seen."),
        sa.Column("participants", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="LiveKit's count of people."),
        sa.Column("publishers", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="LiveKit's count of those who publish."),
        sa.Column("looked_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the look began."),
        sa.Column(
            "due_at",
            TIMESTAMP,
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the next one is due though nothing seems to have changed.",
        ),
        sa.Column(
            "differs_since",
            TIMESTAMP,
            comment="Since when rows and room have been found different at every look; null when they were alike.",
        ),
        sa.ForeignKeyConstraint(["call_id"], ["nchat_calls.id"], name="nchat_call_looks_call_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", name="nchat_call_looks_pkey"),
        comment="The reconciler's last closer look at each living call.",
    )
    op.create_index("nchat_call_looks_looked_at_idx", "nchat_call_looks", ["looked_at"])
    op.create_index(
        "nchat_call_looks_differs_since_idx", "nchat_call_looks", ["differs_since"], postgresql_where=sa.text("differs_since IS NOT NULL")
    )


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_call_looks")
