"""Links to planned calls for a calendar, signed where rows become JSON."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# A link to media of the kind `calendar`, at an address that calendars know by its end. app/media/calendar_endpoint.py reads it.
CALENDAR_URL = r"""
    CREATE FUNCTION nchat_calls_calendar_url(call nchat_calls, hasura_session json)
    RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (call).scheduled_at IS NOT NULL THEN regexp_replace(
        nchat_media_link(hasura_session, 'calendar', (call).id, 'x-nchat-calendar-expiry'),
        '/media/calendar/([^/]+)/([^/]+)$', '/calls/\1.ics?link=\2'
    ) END
"""
COMMENT = "Link to the planned call for a calendar (RFC 5545), for whoever asks; null for a call without a time."


def upgrade() -> None:
    limit_lock_wait()
    op.execute(CALENDAR_URL)
    op.execute(f"COMMENT ON FUNCTION nchat_calls_calendar_url IS '{COMMENT}'")


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP FUNCTION nchat_calls_calendar_url")
