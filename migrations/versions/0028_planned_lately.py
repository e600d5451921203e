"""A new call is planned for a time near ours: not in a past that no calendar of the service knows."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# As 0015 made it, but for the past.
FUNCTION = """
    CREATE OR REPLACE FUNCTION nchat_calls_check_new() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    DECLARE
        most integer := nullif(current_setting('nchat.max_open_calls', true), '')::integer;
        asking text := nullif(current_setting('hasura.user', true), '')::json ->> 'x-hasura-role';
    BEGIN
        IF NEW.scheduled_at > now() + interval '1 year' THEN
            RAISE EXCEPTION 'scheduled_at is at most a year ahead' USING ERRCODE = 'check_violation';
        END IF;
        {past}
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
PAST = """
        IF NEW.scheduled_at < now() - interval '1 year' THEN
            RAISE EXCEPTION 'scheduled_at is at most a year ago' USING ERRCODE = 'check_violation';
        END IF;
"""
# What is there already: such a call counts as one without a time.
FORGET = "UPDATE nchat_calls SET scheduled_at = NULL WHERE scheduled_at < '0001-01-02' OR scheduled_at > '9999-12-30'"


def upgrade() -> None:
    limit_lock_wait()
    op.execute(FUNCTION.format(past=PAST))
    op.execute(FORGET)


def downgrade() -> None:
    limit_lock_wait()
    op.execute(FUNCTION.format(past=""))
