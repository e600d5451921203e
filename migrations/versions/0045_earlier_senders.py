"""Processes of an earlier release and of this one serve the same streams: what sends, as each of them writes it."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

STREAMS = "nchat_streams"
HOST_SID = "LiveKit''s id of the connection that the host sends from. Not offered through GraphQL."
# An earlier release knows one connection, and null where nobody sends.
IN_STEP = f"""
    CREATE FUNCTION {STREAMS}_host_sid() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        IF NEW.senders IS DISTINCT FROM OLD.senders THEN
            NEW.host_sid := (
                SELECT sid FROM jsonb_each_text(NEW.senders) AS sender (identity, sid)
                ORDER BY identity <> NEW.host_id::text, identity LIMIT 1
            );
        ELSIF NEW.host_sid IS NULL THEN
            NEW.senders := '{{}}';
        ELSE
            NEW.senders := NEW.senders || jsonb_build_object(NEW.host_id, NEW.host_sid);
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    # Where 0040 ran as it was at first, it is gone.
    op.execute(f"ALTER TABLE {STREAMS} ADD COLUMN IF NOT EXISTS host_sid varchar(255)")
    op.execute(f"COMMENT ON COLUMN {STREAMS}.host_sid IS '{HOST_SID}'")
    op.execute(IN_STEP)
    op.execute(f"""
        CREATE TRIGGER {STREAMS}_host_sid BEFORE UPDATE OF senders, host_sid ON {STREAMS} FOR EACH ROW
        WHEN (OLD.senders IS DISTINCT FROM NEW.senders OR OLD.host_sid IS DISTINCT FROM NEW.host_sid)
        EXECUTE FUNCTION {STREAMS}_host_sid()
    """)


def downgrade() -> None:
    limit_lock_wait()
    op.execute(f"DROP TRIGGER {STREAMS}_host_sid ON {STREAMS}")
    op.execute(f"DROP FUNCTION {STREAMS}_host_sid()")
