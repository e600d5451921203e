"""How steady a frame rate has been: one that is lower and stays so is what is wanted."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

INGRESSES, HEALTH = "nchat_stream_ingresses", "nchat_stream_health"
BEST = {
    (INGRESSES, "video_fps_best"): "The highest of them, since the encoder is on the air",
    (HEALTH, "best_fps"): "The highest fps that it reported",
}
STEADY = {INGRESSES: "video_fps_steady", HEALTH: "steady_fps"}
SINCE = {INGRESSES: "video_fps_steady_since", HEALTH: "steady_since"}


def upgrade() -> None:
    limit_lock_wait()
    for table in (INGRESSES, HEALTH):
        op.add_column(table, sa.Column(STEADY[table], sa.Double(), comment="Near which all of them have been of late."))
        op.add_column(table, sa.Column(SINCE[table], TIMESTAMP, comment="Since when."))
    for (table, column), comment in BEST.items():
        op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{comment}, or the one that it settled at.'")


def downgrade() -> None:
    limit_lock_wait()
    for (table, column), comment in BEST.items():
        op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{comment}.'")
    for table in (INGRESSES, HEALTH):
        op.drop_column(table, SINCE[table])
        op.drop_column(table, STEADY[table])
