"""Joins are counted when they begin; parts of a recording that is being removed have no links."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

RECORDINGS, PARTS = "nchat_call_recordings", "nchat_call_recording_parts"
# Migration 0024 made these; here the wish to remove the recording takes them away at once.
LINKS = {
    "url": ("(part).file_path IS NOT NULL", "'part'", "'x-nchat-link-expiry'"),
    "playlist_url": ("(part).path_prefix IS NOT NULL AND (part).segments > 0", "'part-playlist'", "'x-nchat-playback-expiry'"),
}
NOT_REMOVED = f"""
    NOT EXISTS (
        SELECT FROM {RECORDINGS} AS recording WHERE recording.id = (part).recording_id AND recording.delete_asked_at IS NOT NULL)
"""


def upgrade() -> None:
    limit_lock_wait()
    op.add_column(
        RECORDINGS,
        sa.Column(
            "join_tries",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often joining was begun; a try that found the store away does not count. Not offered through GraphQL.",
        ),
    )
    _make_links(NOT_REMOVED)


def downgrade() -> None:
    limit_lock_wait()
    _make_links("true")
    op.drop_column(RECORDINGS, "join_tries")


def _make_links(condition: str) -> None:
    for name, (there, kind, life) in LINKS.items():
        op.execute(f"""
            CREATE OR REPLACE FUNCTION {PARTS}_{name}(part {PARTS}, hasura_session json)
            RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
            RETURN CASE WHEN (part).status <> 'deleted' AND {there} AND {condition}
                THEN nchat_media_link(hasura_session, {kind}, (part).id, {life}) END
        """)
