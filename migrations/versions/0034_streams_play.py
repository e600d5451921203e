"""Streams play: links to watch and embed them, parts that may be on a CDN and those that end when fewer may watch, clips."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

RECORDINGS, PARTS, STREAMS = "nchat_call_recordings", "nchat_call_recording_parts", "nchat_streams"
REASONS = ("stopped", "paused", "lost", "storage", "limit")
# Its recording, not its clips; what is being removed plays no more.
PLAYS = f"""
    EXISTS (
        SELECT FROM {RECORDINGS} AS recording JOIN {PARTS} AS part ON part.recording_id = recording.id
        WHERE recording.stream_id = (stream).id AND recording.clip_from IS NULL
            AND recording.status <> 'deleted' AND recording.delete_asked_at IS NULL
            AND part.kind = 'composite' AND part.path_prefix IS NOT NULL AND part.segments > 0 AND part.status NOT IN ('failed', 'deleted')
    )
"""
FIELDS = {
    "playback_url": (
        f"CASE WHEN (stream).status <> 'cancelled' AND {PLAYS}"
        " THEN nchat_media_link(hasura_session, 'stream', (stream).id, 'x-nchat-playback-expiry') END",
        "Link to the playlist (HLS), for whoever asks: live with all that came before, afterwards the whole; null without media.",
    ),
    "embed_code": (
        """CASE WHEN (stream).status <> 'cancelled' THEN
            '<iframe src="' || (hasura_session ->> 'x-nchat-link-base') || '/embed/' || (stream).id || '" width="640" height="360"'
            || ' title="Live stream" style="border:0" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>' END""",
        "HTML that shows the stream in a page; it plays by itself what is public.",
    ),
}
# A part whose stream is public when it begins may be on the CDN. Whoever begins one holds the lock of the stream.
ON_CDN = f"""
    CREATE FUNCTION {PARTS}_on_cdn() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        NEW.on_cdn := EXISTS (
            SELECT FROM public.{RECORDINGS} AS recording JOIN public.{STREAMS} AS stream ON stream.id = recording.stream_id
            WHERE recording.id = NEW.recording_id AND recording.clip_from IS NULL AND stream.visibility = 'public'
        );
        RETURN NEW;
    END $$
"""
# Whoever lost the right may know what the keys of the present part begin with: in the transaction that takes the right away this part is
# told to end, and another one, with other keys, follows it. One that nobody was asked for yet has keys that nobody knows.
NARROWED = f"""
    CREATE FUNCTION {STREAMS}_narrowed() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        UPDATE public.{PARTS} AS part SET
            on_cdn = part.on_cdn AND part.asked_at IS NOT NULL,
            stop_asked_at = CASE WHEN part.asked_at IS NOT NULL THEN now() END,
            end_reason = CASE WHEN part.asked_at IS NOT NULL THEN 'narrowed' END
        FROM public.{RECORDINGS} AS recording
        WHERE recording.id = part.recording_id AND recording.stream_id = NEW.id AND recording.clip_from IS NULL
            AND part.status IN ('starting', 'recording') AND part.stop_asked_at IS NULL;
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    limit_lock_wait()
    op.add_column(
        PARTS,
        sa.Column(
            "on_cdn",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Begun while its stream was public: its segments may be fetched from the CDN. Not offered through GraphQL.",
        ),
    )
    op.add_column(
        RECORDINGS,
        sa.Column("clip_progress", sa.SmallInteger(), comment="Percent of a clip's segments that are copied; null for what is no clip."),
    )
    op.create_index(
        f"{RECORDINGS}_clips_idx",
        RECORDINGS,
        ["next_work_at"],
        postgresql_where=sa.text("status = 'processing'::recording_status AND clip_progress IS NOT NULL"),
    )
    _end_reasons(*REASONS, "narrowed")
    op.execute(ON_CDN)
    op.execute(f"CREATE TRIGGER {PARTS}_on_cdn BEFORE INSERT ON {PARTS} FOR EACH ROW EXECUTE FUNCTION {PARTS}_on_cdn()")
    op.execute(NARROWED)
    op.execute(f"""
        CREATE TRIGGER {STREAMS}_narrowed AFTER UPDATE OF visibility ON {STREAMS}
        FOR EACH ROW WHEN (OLD.visibility <> NEW.visibility AND NEW.visibility <> 'public') EXECUTE FUNCTION {STREAMS}_narrowed()
    """)
    for name, (body, comment) in FIELDS.items():
        op.execute(f"""
            CREATE FUNCTION {STREAMS}_{name}(stream {STREAMS}, hasura_session json)
            RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN {body}
        """)
        op.execute(f"COMMENT ON FUNCTION {STREAMS}_{name} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    for name in FIELDS:
        op.execute(f"DROP FUNCTION {STREAMS}_{name}")
    op.execute(f"DROP TRIGGER {STREAMS}_narrowed ON {STREAMS}")
    op.execute(f"DROP FUNCTION {STREAMS}_narrowed()")
    op.execute(f"DROP TRIGGER {PARTS}_on_cdn ON {PARTS}")
    op.execute(f"DROP FUNCTION {PARTS}_on_cdn()")
    op.execute(f"UPDATE {PARTS} SET end_reason = 'stopped' WHERE end_reason = 'narrowed'")
    _end_reasons(*REASONS)
    op.drop_index(f"{RECORDINGS}_clips_idx", RECORDINGS)
    op.drop_column(RECORDINGS, "clip_progress")
    op.drop_column(PARTS, "on_cdn")


def _end_reasons(*words: str) -> None:
    op.drop_constraint(f"{PARTS}_end_reason_check", PARTS)
    allowed = ", ".join(f"'{word}'" for word in words)
    op.create_check_constraint(op.f(f"{PARTS}_end_reason_check"), PARTS, f"end_reason IN ({allowed})")
    comment = f"Why it ended: {', '.join(words[:-1])} or {words[-1]}. Not offered through GraphQL."
    op.alter_column(PARTS, "end_reason", existing_type=sa.Text(), existing_nullable=True, comment=comment)
