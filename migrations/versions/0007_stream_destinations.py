"""Where streams are sent on to."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, create_enums, drop_enums, enum, limit_lock_wait

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VOCABULARIES = {
    "destination_platform": ("youtube", "twitch", "facebook", "custom"),
    "destination_status": ("pending", "connecting", "connected", "disconnected", "error"),
}


def upgrade() -> None:
    limit_lock_wait()
    create_enums(VOCABULARIES)
    create_stream_destinations()


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table("nchat_stream_destinations")
    drop_enums(VOCABULARIES)


def create_stream_destinations() -> None:
    op.create_table(
        "nchat_stream_destinations",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The destination."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("platform", enum("destination_platform"), nullable=False, comment="The platform."),
        sa.Column("rtmp_url", sa.String(length=500), nullable=False, comment="Address without the key."),
        sa.Column("stream_key_encrypted", sa.String(length=500), nullable=False, comment="The platform's stream key, encrypted at rest."),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Whether it is sent to."),
        sa.Column(
            "status",
            enum("destination_status"),
            server_default=sa.text("'pending'::destination_status"),
            nullable=False,
            comment="State of the connection.",
        ),
        sa.Column("error_message", sa.Text(), comment="What went wrong, in our own words."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it was added."),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_destinations_stream_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="nchat_stream_destinations_pkey"),
        sa.UniqueConstraint("stream_id", "platform", name="nchat_stream_destinations_stream_id_platform_key"),
        comment="RTMP destinations of streams.",
    )
    op.create_index("nchat_stream_destinations_platform_idx", "nchat_stream_destinations", ["platform"])
    op.create_index("nchat_stream_destinations_stream_id_idx", "nchat_stream_destinations", ["stream_id"])
