"""Computed fields of calls and streams: functions of the row, named in the permissions metadata."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The bodies are parsed here and now, so no search_path of a later caller can give their names another meaning;
# a SET clause would say the same and keep PostgreSQL from inlining them into the query.
FUNCTIONS = {
    "nchat_calls_duration(call nchat_calls)": """
        RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
        RETURN CASE WHEN (call).ended_at IS NOT NULL
                    THEN coalesce(greatest(floor(extract(epoch FROM (call).ended_at - (call).connected_at)), 0), 0)::integer END
    """,
    "nchat_calls_is_recording(call nchat_calls)": """
        RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
        RETURN EXISTS (SELECT FROM nchat_call_recordings r WHERE r.call_id = (call).id AND r.status = 'recording')
    """,
    "nchat_calls_is_streaming(call nchat_calls)": """
        RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
        RETURN EXISTS (SELECT FROM nchat_streams s WHERE s.call_id = (call).id AND s.status = 'live')
    """,
    "nchat_streams_duration(stream nchat_streams)": """
        RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
        RETURN CASE WHEN (stream).ended_at IS NOT NULL
                    THEN coalesce(greatest(floor(extract(epoch FROM (stream).ended_at - (stream).started_at)), 0), 0)::integer END
    """,
}

COMMENTS = {
    "nchat_calls_duration": "Seconds from the first connection to the end, 0 if nobody connected; null until ended.",
    "nchat_calls_is_recording": "A recording of the call is running.",
    "nchat_calls_is_streaming": "A stream that broadcasts the call is live.",
    "nchat_streams_duration": "Seconds it was live, 0 if never; null until ended.",
}


def upgrade() -> None:
    limit_lock_wait()
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} {body}")
    for name, comment in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {name} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    for name in COMMENTS:
        op.execute(f"DROP FUNCTION {name}")
