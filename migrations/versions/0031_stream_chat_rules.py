"""What the chat of streams needs: versions of blocked terms, more of them, and each message's place beside the pictures."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import UUID, limit_lock_wait

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

SETTINGS = "nchat_channel_call_settings"
VERSION = """
    CREATE FUNCTION nchat_new_terms_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.terms_version := pg_catalog.gen_random_uuid();
        RETURN NEW;
    END $$
"""
# Also where the same terms are written again: to compare a thousand of them costs more than to make them ready anew.
ON_UPDATE = f"""
    CREATE TRIGGER nchat_channel_call_settings_new_terms BEFORE UPDATE OF blocked_terms ON {SETTINGS}
    FOR EACH ROW EXECUTE FUNCTION nchat_new_terms_version()
"""
# The playlist holds the parts one after the other. What was written while nothing was recorded stands at the end of what was before it.
# The length of a part that has just ended is known when its storage was looked through; until then, from its last new segment.
MEDIA_SECONDS = """
    CREATE FUNCTION nchat_stream_chat_media_seconds(message nchat_stream_chat)
    RETURNS double precision LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT round((before + least(extract(epoch FROM (message).created_at - began), seconds))::numeric, 3)
        FROM (
            SELECT part.media_started_at AS began,
                coalesce(sum(seconds) OVER (ORDER BY part.index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before,
                CASE WHEN lead(part.index) OVER (ORDER BY part.index) IS NULL THEN part.duration ELSE seconds END AS seconds
            FROM nchat_call_recordings AS recording
            JOIN nchat_call_recording_parts AS part ON part.recording_id = recording.id
            CROSS JOIN LATERAL (
                SELECT coalesce(part.duration, extract(epoch FROM part.segment_at - part.media_started_at)) AS seconds
            ) AS so_far
            WHERE recording.stream_id = (message).stream_id AND recording.clip_from IS NULL
                AND part.kind = 'composite' AND part.media_started_at IS NOT NULL
        ) AS parts
        WHERE began <= (message).created_at
        ORDER BY began DESC LIMIT 1
    )::double precision
"""
COMMENTS = {
    "nchat_new_terms_version": "Other terms, another version.",
    "nchat_stream_chat_media_seconds": (
        "Where it stands on the timeline of the stream''s playlist, in seconds; null for what was written before there was media."
    ),
}


def upgrade() -> None:
    limit_lock_wait()
    comment = "Another value with each change of the blocked terms; kept by a trigger. Not offered through GraphQL."
    default = sa.text("gen_random_uuid()")
    op.add_column(SETTINGS, sa.Column("terms_version", UUID, server_default=default, nullable=False, comment=comment))
    op.execute(VERSION)
    op.execute(ON_UPDATE)
    limit_terms(1000)
    op.execute(MEDIA_SECONDS)
    for name, comment in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {name} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP FUNCTION nchat_stream_chat_media_seconds")
    op.execute(f"UPDATE {SETTINGS} SET blocked_terms = blocked_terms[1\\:500] WHERE cardinality(blocked_terms) > 500")
    limit_terms(500)
    op.execute(f"DROP TRIGGER nchat_channel_call_settings_new_terms ON {SETTINGS}")
    op.execute("DROP FUNCTION nchat_new_terms_version")
    op.drop_column(SETTINGS, "terms_version")


def limit_terms(most: int) -> None:
    check = f"{SETTINGS}_blocked_terms_check"
    op.drop_constraint(check, SETTINGS)
    op.execute(f"ALTER TABLE {SETTINGS} ADD CONSTRAINT {check} CHECK (cardinality(blocked_terms) <= {most})")
