"""The job queue's tables, as the pgqueuer of this release declares them.

Its own statements, not a copy: a later pgqueuer brings its later form, and the revision that follows such an upgrade runs
pgqueuer's own `upgrade`, which finds nothing to do where this revision has already installed it.
"""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from migrations.shorthand import execute_script, limit_lock_wait

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    limit_lock_wait()
    execute_script(op.get_bind(), QueryBuilderEnvironment(DBSettings()).build_install_query())


def downgrade() -> None:
    limit_lock_wait()
    execute_script(op.get_bind(), QueryBuilderEnvironment(DBSettings()).build_uninstall_query())
