"""All connections that send to a stream are known, where one was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from migrations.shorthand import limit_lock_wait

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

STREAMS = "nchat_streams"
SENDERS = "LiveKit's ids of the connections that send, by identity. Not offered through GraphQL."
HOST_SID = "LiveKit''s id of the connection that the host sends from. Not offered through GraphQL."


def upgrade() -> None:
    limit_lock_wait()
    op.add_column(STREAMS, sa.Column("senders", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False, comment=SENDERS))
    # Whose it was is seen at the next look into the room.
    op.execute(f"UPDATE {STREAMS} SET senders = jsonb_build_object(host_id, host_sid) WHERE host_sid IS NOT NULL")
    # `host_sid` stays: processes of the release before go on using it until they are replaced (0045).


def downgrade() -> None:
    limit_lock_wait()
    op.execute(f"ALTER TABLE {STREAMS} ADD COLUMN IF NOT EXISTS host_sid varchar(255)")
    op.execute(f"COMMENT ON COLUMN {STREAMS}.host_sid IS '{HOST_SID}'")
    first = "SELECT sid FROM jsonb_each_text(senders) AS sender (identity, sid) LIMIT 1"
    op.execute(f"UPDATE {STREAMS} SET host_sid = ({first}) WHERE senders <> '{{}}'")
    op.drop_column(STREAMS, "senders")
