"""How many frames an encoder sent before, and at its best."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

INGRESSES = "nchat_stream_ingresses"
RATES = {
    "video_fps_before": "The same of the word before, since the encoder is on the air.",
    "video_fps_best": "The highest of them, since the encoder is on the air.",
}


def upgrade() -> None:
    limit_lock_wait()
    for name, comment in RATES.items():
        op.add_column(INGRESSES, sa.Column(name, sa.Double(), comment=comment))


def downgrade() -> None:
    limit_lock_wait()
    for name in RATES:
        op.drop_column(INGRESSES, name)
