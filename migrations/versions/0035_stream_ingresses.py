"""Where a stream's host sends to with an encoder."""

from alembic import op

from migrations.shorthand import limit_lock_wait

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

TABLE = """
    CREATE TABLE nchat_stream_ingresses (
        id uuid CONSTRAINT nchat_stream_ingresses_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
        stream_id uuid NOT NULL CONSTRAINT nchat_stream_ingresses_stream_id_fkey REFERENCES nchat_streams (id) ON DELETE CASCADE,
        kind text NOT NULL CONSTRAINT nchat_stream_ingresses_kind_check CHECK (kind IN ('rtmp', 'whip')),
        identity varchar(255) NOT NULL,
        ingress_id varchar(255) CONSTRAINT nchat_stream_ingresses_ingress_id_key UNIQUE,
        stream_key_encrypted varchar(500),
        status text NOT NULL DEFAULT 'inactive' CONSTRAINT nchat_stream_ingresses_status_check
            CHECK (status IN ('inactive', 'buffering', 'publishing', 'error', 'complete')),
        publishing_since timestamptz,
        told_at timestamptz,
        missed_at timestamptz,
        video_width integer,
        video_height integer,
        video_fps double precision,
        video_bitrate bigint,
        audio_bitrate bigint,
        retired_at timestamptz,
        removed_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
    )
"""
INDEXES = (
    "CREATE INDEX nchat_stream_ingresses_stream_id_idx ON nchat_stream_ingresses (stream_id)",
    "CREATE UNIQUE INDEX nchat_stream_ingresses_wanted_idx ON nchat_stream_ingresses (stream_id) WHERE retired_at IS NULL",
    "CREATE INDEX nchat_stream_ingresses_unremoved_idx ON nchat_stream_ingresses (retired_at)"
    " WHERE retired_at IS NOT NULL AND removed_at IS NULL",
)
COMMENT = "Ways into a stream for its host''s encoder. Not offered through GraphQL."
COMMENTS = {
    "id": "The ingress as we know it; LiveKit''s has a name that ends with this.",
    "stream_id": "The stream.",
    "kind": "rtmp or whip: what the encoder speaks.",
    "identity": "The participant in whose place the encoder is in the room.",
    "ingress_id": "LiveKit''s ingress; null until LiveKit answered.",
    "stream_key_encrypted": "The key that the encoder shows, encrypted at rest.",
    "status": "LiveKit''s word on the encoder.",
    "publishing_since": "Since when the encoder has been sending; null while it does not.",
    "told_at": "Of which time LiveKit''s newest word on the encoder is; it says something once a minute.",
    "missed_at": "Since when the encoder''s participant is not seen in the room though LiveKit says that it publishes.",
    "video_width": "Width of the encoder''s picture in pixels.",
    "video_height": "Height of the encoder''s picture in pixels.",
    "video_fps": "Pictures a second, on average since the word before.",
    "video_bitrate": "Bits a second of the picture, on average since the word before.",
    "audio_bitrate": "Bits a second of the sound, on average since the word before.",
    "retired_at": "Since when it is not wanted any more: another took its place, or the stream is over.",
    "removed_at": "When LiveKit confirmed that it is gone: its key opens nothing any more.",
    "created_at": "When the row was written.",
}


def upgrade() -> None:
    limit_lock_wait()
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(index)
    op.execute(f"COMMENT ON TABLE nchat_stream_ingresses IS '{COMMENT}'")
    for column, comment in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN nchat_stream_ingresses.{column} IS '{comment}'")


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_stream_ingresses")
