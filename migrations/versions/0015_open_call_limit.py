"""What a new call must satisfy whichever door it comes through: at most a year ahead, and so many open ones of one person."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# The lock makes two who insert at once count one after the other. Each statement of a volatile function sees what was committed before
# it began, and the rows that the same insert wrote before this one. Without the variable, which the service sets on its connections,
# there is no limit: a restore or a script writes what it has to.
FUNCTION = """
    CREATE FUNCTION nchat_calls_check_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    DECLARE
        most integer := nullif(current_setting('nchat.max_open_calls', true), '')::integer;
        asking text := nullif(current_setting('hasura.user', true), '')::json ->> 'x-hasura-role';
    BEGIN
        IF NEW.scheduled_at > now() + interval '1 year' THEN
            RAISE EXCEPTION 'scheduled_at is at most a year ahead' USING ERRCODE = 'check_violation';
        END IF;
        IF most IS NULL OR asking = 'admin' THEN
            RETURN NEW;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('open calls:' || NEW.initiator_id, 0));
        IF (SELECT count(*) FROM public.nchat_calls WHERE initiator_id = NEW.initiator_id AND status <> 'ended') >= most THEN
            RAISE EXCEPTION 'a person has at most % open calls', most USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    op.create_index(
        "nchat_calls_initiator_id_open_idx", "nchat_calls", ["initiator_id"], postgresql_where=sa.text("status <> 'ended'::call_status")
    )
    op.execute(FUNCTION)
    op.execute("""
        CREATE TRIGGER nchat_calls_check_new BEFORE INSERT ON nchat_calls
        FOR EACH ROW WHEN (NEW.status <> 'ended') EXECUTE FUNCTION nchat_calls_check_new()
    """)


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP TRIGGER nchat_calls_check_new ON nchat_calls")
    op.execute("DROP FUNCTION nchat_calls_check_new()")
    op.drop_index("nchat_calls_initiator_id_open_idx", "nchat_calls")
