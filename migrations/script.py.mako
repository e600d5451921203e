"""${message}."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    limit_lock_wait()
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    limit_lock_wait()
    ${downgrades if downgrades else "pass"}
