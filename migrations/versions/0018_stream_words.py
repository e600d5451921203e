"""How long a stream's title and description may be."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CHECKS = {
    "nchat_streams_title_length_check": "char_length(title) <= 200",
    "nchat_streams_description_length_check": "char_length(description) <= 10000",
}
# What is written from now on is checked. A longer one from before stays until its row is written, and with it the constraint unvalidated.
VALIDATE = """
    DO $$ BEGIN
        ALTER TABLE nchat_streams VALIDATE CONSTRAINT {};
    EXCEPTION WHEN check_violation THEN
        RAISE WARNING 'nchat_streams has longer rows: shorten them, and VALIDATE CONSTRAINT {}';
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE nchat_streams ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(VALIDATE.format(name, name))


def downgrade() -> None:
    limit_lock_wait()
    for name in CHECKS:
        op.drop_constraint(name, "nchat_streams")
