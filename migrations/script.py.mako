<%!
def statements(body):
    """Without the comments that alembic puts around them."""
    return "\n".join(line for line in (body or "").splitlines() if not line.lstrip().startswith("# ###")).strip()
%>\
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
    ${statements(upgrades)}


def downgrade() -> None:
    limit_lock_wait()
    ${statements(downgrades)}
