"""Large audiences: who takes whom out of a room, and when again."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

VIEWERS = "nchat_stream_viewers"
BY_WEBRTC = f"{VIEWERS}_by_webrtc_idx"


def upgrade() -> None:
    limit_lock_wait()
    tries = "How often that was tried."
    op.add_column(VIEWERS, sa.Column("out_tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False, comment=tries))
    again = "Before then nobody tries it again: one does it now, or it failed."
    op.add_column(VIEWERS, sa.Column("out_next_at", TIMESTAMP, comment=again))
    op.create_index(BY_WEBRTC, VIEWERS, ["stream_id"], postgresql_where=sa.text("webrtc AND left_at IS NULL"))


def downgrade() -> None:
    limit_lock_wait()
    op.drop_index(BY_WEBRTC, VIEWERS)
    op.drop_column(VIEWERS, "out_next_at")
    op.drop_column(VIEWERS, "out_tries")
