"""Those in the room of a stream are asked for where their right may have changed, by one process at a time."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, limit_lock_wait

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

TABLE = "nchat_stream_rights"


def upgrade() -> None:
    limit_lock_wait()
    op.create_table(
        TABLE,
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("seen", sa.Text(), comment="What decided then, in short; null before the first time."),
        _moment("next_look_at", "When somebody looks next whether that has changed."),
        _moment("ask_at", "When they are asked for again although it has not."),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name=op.f("nchat_stream_rights_stream_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", name=op.f("nchat_stream_rights_pkey")),
        comment="Streams that people watch by WebRTC, and what their right depends on. Not offered through GraphQL.",
    )


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table(TABLE)


def _moment(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment=comment)
