"""Links to media, signed where rows become JSON: computed fields of recordings and of their parts."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# HMAC-SHA256 (RFC 2104) by PostgreSQL's own sha256(): the key comes with its two paddings done, 64 bytes each, as hexadecimal digits.
# Of the signature 16 bytes stay. app/media/links.py does the same and reads it. What a signature covers is written so that no two
# meanings share a text: a role or a person of another form has no links. Lives come as seconds and end by the database's clock, on a
# full step of 5 minutes (of the life itself where that is shorter): a live query gives new links when they are due, and not before.
MEDIA_LINK = """
    CREATE FUNCTION nchat_media_link(hasura_session json, kind text, id uuid, life text)
    RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT said.base || '/media/' || signed.text || '.' || rtrim(translate(encode(substr(
            sha256(said.outer_key || sha256(said.inner_key || convert_to(signed.text, 'UTF8'))), 1, 16), 'base64'), '+/', '-_'), '=')
        FROM (
            SELECT hasura_session ->> 'x-nchat-link-base' AS base,
                   decode(substr(hasura_session ->> 'x-nchat-link-key', 1, 128), 'hex') AS inner_key,
                   decode(substr(hasura_session ->> 'x-nchat-link-key', 129), 'hex') AS outer_key,
                   (hasura_session ->> life)::bigint AS seconds,
                   hasura_session ->> 'x-hasura-role' AS role,
                   coalesce(hasura_session ->> 'x-hasura-user-id', '-') AS person
        ) AS said,
        LATERAL (SELECT least(said.seconds, 300) AS seconds) AS step,
        LATERAL (
            SELECT (ceil((extract(epoch FROM now()) + said.seconds) / step.seconds) * step.seconds)::bigint AS at
        ) AS expiry,
        LATERAL (SELECT kind || '/' || id || '/' || expiry.at || '.' || said.role || '.' || said.person AS text) AS signed
        WHERE said.role ~ '^[A-Za-z0-9_-]{1,64}$' AND said.person ~ '^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|-)$'
    )
"""
FILE_LIFE, PLAYBACK_LIFE = "'x-nchat-link-expiry'", "'x-nchat-playback-expiry'"
# What is being removed has no links any more.
THERE = "(recording).status <> 'deleted' AND (recording).delete_asked_at IS NULL"

RECORDING_FIELDS = {
    "url": (
        f"CASE WHEN {THERE} AND (recording).file_path IS NOT NULL"
        f" THEN nchat_media_link(hasura_session, 'recording', (recording).id, {FILE_LIFE}) END",
        "Link to the file, for whoever asks; null without one.",
    ),
    "playlist_url": (
        f"""CASE WHEN {THERE} AND (recording).type <> 'individual_tracks' AND EXISTS (
                SELECT FROM nchat_call_recording_parts AS part
                WHERE part.recording_id = (recording).id AND part.kind = 'composite' AND part.path_prefix IS NOT NULL AND part.segments > 0
            ) THEN nchat_media_link(hasura_session, 'playlist', (recording).id, {PLAYBACK_LIFE}) END""",
        "Link to the playlist (HLS) of all parts, also while it runs; null before the first segment, and for individual tracks.",
    ),
    "thumbnail_url": (
        f"CASE WHEN {THERE} AND (recording).thumbnail_path IS NOT NULL"
        f" THEN nchat_media_link(hasura_session, 'thumbnail', (recording).id, {FILE_LIFE}) END",
        "Link to a still picture; null without one, as of sound alone.",
    ),
    "storyboard_url": (
        f"""CASE WHEN {THERE} AND (recording).thumbnail_path IS NOT NULL AND EXISTS (
                SELECT FROM nchat_call_recording_parts AS part
                WHERE part.recording_id = (recording).id AND part.kind = 'composite' AND part.path_prefix IS NOT NULL AND part.segments > 0
            ) THEN nchat_media_link(hasura_session, 'storyboard', (recording).id, {PLAYBACK_LIFE}) END""",
        "Link to pictures for a seek bar (WebVTT), one every 10 seconds; null without pictures, as of sound alone.",
    ),
}
PART_FIELDS = {
    "url": (
        "CASE WHEN (part).status <> 'deleted' AND (part).file_path IS NOT NULL"
        f" THEN nchat_media_link(hasura_session, 'part', (part).id, {FILE_LIFE}) END",
        "Link to the file of this part, for whoever asks; null without one.",
    ),
    "playlist_url": (
        "CASE WHEN (part).status <> 'deleted' AND (part).path_prefix IS NOT NULL AND (part).segments > 0"
        f" THEN nchat_media_link(hasura_session, 'part-playlist', (part).id, {PLAYBACK_LIFE}) END",
        "Link to the playlist (HLS) of this part alone, also while it runs; null before the first segment.",
    ),
}
TABLES = {
    ("nchat_call_recordings", "recording"): RECORDING_FIELDS,
    ("nchat_call_recording_parts", "part"): PART_FIELDS,
}


def upgrade() -> None:
    limit_lock_wait()
    op.execute(MEDIA_LINK)
    op.execute("COMMENT ON FUNCTION nchat_media_link IS 'A signed link to media for who asks; null when the service has no key for it.'")
    for (table, row), fields in TABLES.items():
        for name, (body, comment) in fields.items():
            op.execute(f"""
                CREATE FUNCTION {table}_{name}({row} {table}, hasura_session json)
                RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN {body}
            """)
            op.execute(f"COMMENT ON FUNCTION {table}_{name} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    for (table, _), fields in TABLES.items():
        for name in fields:
            op.execute(f"DROP FUNCTION {table}_{name}")
    op.execute("DROP FUNCTION nchat_media_link")
