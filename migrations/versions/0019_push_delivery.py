"""Pushes are delivered: how each travels, until when, what it replaces, and what became of it."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, limit_lock_wait

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLE = "nchat_push_outbox"
WAITING = sa.text("sent_at IS NULL")
# Nobody delivered pushes before this revision. What is older than a push lives has expired by now, and stays so.
FILL = """
    UPDATE nchat_push_outbox AS push SET
        transport = CASE kind WHEN 'ring' THEN 'voip' ELSE 'alert' END,
        collapse_id = coalesce(CAST(coalesce(payload ->> 'uuid', payload ->> 'streamId') AS uuid), id),
        next_attempt_at = created_at,
        expires_at = created_at + CASE kind WHEN 'ring' THEN make_interval(secs => coalesce(
            (SELECT calls.ring_timeout_seconds FROM nchat_calls AS calls WHERE calls.id = CAST(push.payload ->> 'uuid' AS uuid)), 45))
            ELSE interval '4 hours' END
"""


def upgrade() -> None:
    limit_lock_wait()
    for column in columns():
        op.add_column(TABLE, column)
    op.execute(FILL)
    for name in ("transport", "expires_at", "collapse_id"):
        op.alter_column(TABLE, name, nullable=False)
    op.create_check_constraint(
        op.f("nchat_push_outbox_transport_check"), TABLE, "transport = CASE kind WHEN 'ring' THEN 'voip' ELSE 'alert' END"
    )
    op.drop_index("nchat_push_outbox_waiting_idx", TABLE)
    op.create_index("nchat_push_outbox_waiting_idx", TABLE, ["expires_at"], postgresql_where=WAITING)
    op.create_index("nchat_push_outbox_collapse_idx", TABLE, ["collapse_id", "user_id"], postgresql_where=WAITING)
    op.create_index("nchat_push_outbox_created_at_idx", TABLE, ["created_at"])
    op.execute("COMMENT ON COLUMN nchat_push_outbox.id IS 'The push, and the id that every try of it carries.'")


def columns() -> list[sa.Column[object]]:
    return [
        sa.Column("transport", sa.Text(), comment="voip for a ring, alert for everything else."),
        sa.Column("expires_at", TIMESTAMP, comment="From then on it is not delivered any more; a ring's is the end of the ring."),
        sa.Column("collapse_id", UUID, comment="The call or stream, of which a screen shows the newest push alone."),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="How often it was tried."),
        sa.Column("next_attempt_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it is tried next."),
        sa.Column("taken_until", TIMESTAMP, comment="Until when a process that may have died has it in its hands."),
        sa.Column("error", sa.Text(), comment="Why the last try failed, in a word."),
    ]


def downgrade() -> None:
    limit_lock_wait()
    for index in ("waiting", "collapse", "created_at"):
        op.drop_index(f"nchat_push_outbox_{index}_idx", TABLE)
    op.drop_constraint("nchat_push_outbox_transport_check", TABLE)
    for column in columns():
        op.drop_column(TABLE, column.name)
    op.create_index("nchat_push_outbox_waiting_idx", TABLE, ["created_at"], postgresql_where=WAITING)
    op.execute("COMMENT ON COLUMN nchat_push_outbox.id IS 'The push.'")
