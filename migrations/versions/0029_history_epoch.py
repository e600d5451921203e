"""Which history this database is of: cursors of another one mean nothing here."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# One row. A dump carries it along, and so does a snapshot of the disk: `nchat-rtc restored` writes it anew.
TABLE = """
    CREATE TABLE nchat_history (
        one boolean CONSTRAINT nchat_history_pkey PRIMARY KEY DEFAULT true CONSTRAINT nchat_history_one_row_check CHECK (one),
        mark uuid NOT NULL DEFAULT gen_random_uuid(),
        restored_at timestamptz NOT NULL DEFAULT now()
    )
"""
COMMENTS = {
    "TABLE nchat_history": "The history of this database; a restore to an older state begins another one.",
    "COLUMN nchat_history.one": "There is one row.",
    "COLUMN nchat_history.mark": "A random value; nchat-rtc restored writes it anew.",
    "COLUMN nchat_history.restored_at": "When that was.",
    "FUNCTION nchat_history_epoch": "Another value means another history: cluster, timeline (where they may be read) and mark.",
}
# A recovery to a point in time, and a failover, begin a new timeline by themselves. Who may not read the control file knows no cluster.
EPOCH = """
    CREATE FUNCTION nchat_history_epoch() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
    DECLARE
        place text := '';
    BEGIN
        IF has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') THEN
            place := (SELECT system_identifier FROM pg_catalog.pg_control_system());
        END IF;
        IF NOT pg_is_in_recovery() THEN
            place := place || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8);
        END IF;
        RETURN left(md5(place || '/' || coalesce((SELECT mark::text FROM public.nchat_history), '')), 16);
    END
    $$
"""


def upgrade() -> None:
    limit_lock_wait()
    op.execute(TABLE)
    op.execute("INSERT INTO nchat_history DEFAULT VALUES")
    op.execute(EPOCH)
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP FUNCTION nchat_history_epoch")
    op.execute("DROP TABLE nchat_history")
