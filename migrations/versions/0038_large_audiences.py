"""Large audiences: who takes whom out of a room, and when again; links to playlists that many get alike."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, limit_lock_wait

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

VIEWERS = "nchat_stream_viewers"
BY_WEBRTC = f"{VIEWERS}_by_webrtc_idx"
# What 0024 made; `{ends}` is what follows the signature, which covers nothing of it. Whose link it is stands in the address of such a
# playlist and not in the names that it holds: all who may see it get the same.
MEDIA_LINK = """
    CREATE OR REPLACE FUNCTION nchat_media_link(hasura_session json, kind text, id uuid, life text)
    RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT said.base || '/media/' || signed.text || '.' || rtrim(translate(encode(substr(
            sha256(said.outer_key || sha256(said.inner_key || convert_to(signed.text, 'UTF8'))), 1, 16), 'base64'), '+/', '-_'), '='){ends}
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
        WHERE said.role ~ '^[A-Za-z0-9_-]{{1,64}}$' AND said.person ~ '^([0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}|-)$'
    )
"""
ENDS = " || CASE WHEN kind IN ('playlist', 'part-playlist', 'stream') THEN '/index.m3u8' ELSE '' END"


def upgrade() -> None:
    limit_lock_wait()
    tries = "How often that was tried."
    op.add_column(VIEWERS, sa.Column("out_tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False, comment=tries))
    again = "Before then nobody tries it again: one does it now, or it failed."
    op.add_column(VIEWERS, sa.Column("out_next_at", TIMESTAMP, comment=again))
    op.create_index(BY_WEBRTC, VIEWERS, ["stream_id"], postgresql_where=sa.text("webrtc AND left_at IS NULL"))
    op.execute(MEDIA_LINK.format(ends=ENDS))


def downgrade() -> None:
    limit_lock_wait()
    op.execute(MEDIA_LINK.format(ends=""))
    op.drop_index(BY_WEBRTC, VIEWERS)
    op.drop_column(VIEWERS, "out_next_at")
    op.drop_column(VIEWERS, "out_tries")
