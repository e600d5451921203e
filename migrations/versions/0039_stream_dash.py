"""Streams are repackaged as DASH."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

STREAMS, TABLE = "nchat_streams", "nchat_stream_dash"
CREATE = f"""
    CREATE TABLE {TABLE} (
        stream_id uuid CONSTRAINT {TABLE}_pkey PRIMARY KEY
            CONSTRAINT {TABLE}_stream_id_fkey REFERENCES {STREAMS} (id) ON DELETE CASCADE,
        recording_id uuid NOT NULL
            CONSTRAINT {TABLE}_recording_id_fkey REFERENCES nchat_call_recordings (id) ON DELETE CASCADE,
        url varchar(500),
        path_prefix text,
        segments integer NOT NULL DEFAULT 0,
        making_prefix text,
        taken_until timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        not_before timestamptz NOT NULL DEFAULT now(),
        completed_at timestamptz
    )
"""
COMMENTS = {
    "stream_id": "The stream.",
    "recording_id": "Its recording, whose segments are repackaged.",
    "url": "Its address; null until there is a manifest.",
    "path_prefix": "What the keys of manifest and pieces begin with; null until there is a manifest.",
    "segments": "Segments of HLS that are in the manifest.",
    "making_prefix": "The same of what is being made: whoever takes it begins anew, elsewhere.",
    "taken_until": "Until when a process has it in hand; null while none has.",
    "attempts": "How often it was taken in hand.",
    "not_before": "When it is taken in hand next.",
    "completed_at": "When all of the stream was in it, or it was given up.",
}
# The address stands in the stream's row while that is public, and not otherwise.
SHOWN = f"""
    CREATE FUNCTION {STREAMS}_dash_url() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        NEW.dash_url := CASE WHEN NEW.visibility = 'public' THEN (
            SELECT dash.url FROM public.{TABLE} AS dash WHERE dash.stream_id = NEW.id
        ) END;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    op.execute(CREATE)
    op.execute(f"CREATE INDEX {TABLE}_recording_id_idx ON {TABLE} (recording_id)")
    op.execute(f"COMMENT ON TABLE {TABLE} IS 'Streams as DASH. Not offered through GraphQL.'")
    for column, comment in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN {TABLE}.{column} IS '{comment}'")
    op.execute(f"CREATE INDEX {TABLE}_due_idx ON {TABLE} (not_before) WHERE completed_at IS NULL")
    op.execute(SHOWN)
    op.execute(f"""
        CREATE TRIGGER {STREAMS}_dash_url BEFORE UPDATE OF visibility ON {STREAMS}
        FOR EACH ROW WHEN (OLD.visibility <> NEW.visibility) EXECUTE FUNCTION {STREAMS}_dash_url()
    """)


def downgrade() -> None:
    limit_lock_wait()
    op.execute(f"DROP TRIGGER {STREAMS}_dash_url ON {STREAMS}")
    op.execute(f"DROP FUNCTION {STREAMS}_dash_url()")
    op.execute(f"UPDATE {STREAMS} SET dash_url = NULL WHERE dash_url IS NOT NULL")
    op.drop_table(TABLE)
