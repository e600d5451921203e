"""What the life of a stream stands on: since when it is where it is, who sends to it, and one broadcast of a call at a time."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

HIDDEN = "Not offered through GraphQL."
RUNNING = "status = ANY (ARRAY['starting'::stream_status, 'live'::stream_status, 'ending'::stream_status])"
PLANNED = "status = 'scheduled'::stream_status"
# A link to media of the kind `stream_calendar`, at an address that calendars know by its end. app/media/calendar_endpoint.py reads it.
CALENDAR_URL = r"""
    CREATE FUNCTION nchat_streams_calendar_url(stream nchat_streams, hasura_session json)
    RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN (stream).scheduled_at IS NOT NULL THEN regexp_replace(
        nchat_media_link(hasura_session, 'stream_calendar', (stream).id, 'x-nchat-calendar-expiry'),
        '/media/stream_calendar/([^/]+)/([^/]+)$', '/streams/\1.ics?link=\2'
    ) END
"""
COMMENT = "Link to the planned stream for a calendar (RFC 5545), for whoever asks; null for a stream without a time."


def upgrade() -> None:
    limit_lock_wait()
    since = f"Since when the status is what it is; timeouts count from here. {HIDDEN}"
    op.add_column("nchat_streams", sa.Column("status_since", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment=since))
    op.add_column(
        "nchat_streams",
        sa.Column("host_sid", sa.String(length=255), comment=f"LiveKit's id of the connection that the host sends from. {HIDDEN}"),
    )
    gone = f"Since when nobody sends to the live stream; null while somebody does. {HIDDEN}"
    op.add_column("nchat_streams", sa.Column("host_gone_since", TIMESTAMP, comment=gone))
    op.add_column("nchat_streams", sa.Column("reminded_at", TIMESTAMP, comment=f"When its people were reminded of it. {HIDDEN}"))
    # A broadcast is in the room of its call, one after the other; every other stream has a room of its own.
    op.drop_constraint("nchat_streams_room_name_key", "nchat_streams")
    op.create_index("nchat_streams_own_room_idx", "nchat_streams", ["room_name"], unique=True, postgresql_where=sa.text("call_id IS NULL"))
    op.create_index("nchat_streams_one_running_per_call", "nchat_streams", ["call_id"], unique=True, postgresql_where=sa.text(RUNNING))
    op.create_index("nchat_streams_running_idx", "nchat_streams", ["status_since"], postgresql_where=sa.text(RUNNING))
    op.create_index(
        "nchat_streams_planned_idx", "nchat_streams", [sa.text("coalesce(scheduled_at, created_at)")], postgresql_where=sa.text(PLANNED)
    )
    op.create_index(
        "nchat_streams_reminder_idx",
        "nchat_streams",
        ["scheduled_at"],
        postgresql_where=sa.text(f"{PLANNED} AND reminded_at IS NULL"),
    )
    op.execute(CALENDAR_URL)
    op.execute(f"COMMENT ON FUNCTION nchat_streams_calendar_url IS '{COMMENT}'")


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP FUNCTION nchat_streams_calendar_url")
    for index in ("own_room_idx", "one_running_per_call", "running_idx", "planned_idx", "reminder_idx"):
        op.drop_index(f"nchat_streams_{index}", "nchat_streams")
    # Rooms of a call that was broadcast twice have one name: the older ones get another.
    op.execute("""
        UPDATE nchat_streams AS stream SET room_name = 'stream_' || stream.id
        WHERE stream.call_id IS NOT NULL
    """)
    op.create_unique_constraint("nchat_streams_room_name_key", "nchat_streams", ["room_name"])
    for column in ("reminded_at", "host_gone_since", "host_sid", "status_since"):
        op.drop_column("nchat_streams", column)
