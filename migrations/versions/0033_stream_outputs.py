"""What egresses of streams send to besides, and how running streams are doing."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, limit_lock_wait

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLE = "nchat_stream_outputs"
KEY_COMMENT = "The stream key, encrypted at rest; LiveKit hears it twice: to add, and to take away."
HEALTH = "nchat_stream_health"


def upgrade() -> None:
    limit_lock_wait()
    create_stream_outputs()
    create_stream_health()


def create_stream_outputs() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The output."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("destination_id", UUID, comment="For which destination; null when the host removed it."),
        sa.Column("egress_id", sa.String(length=255), nullable=False, comment="LiveKit's egress."),
        sa.Column("rtmp_url", sa.String(length=500), nullable=False, comment="Address without the key."),
        sa.Column("stream_key_encrypted", sa.String(length=500), nullable=False, comment=KEY_COMMENT),
        sa.Column("asked_at", TIMESTAMP, comment="Since when LiveKit is being asked; null when it has answered, or was not asked."),
        sa.Column("sent_at", TIMESTAMP, comment="When LiveKit took it."),
        sa.Column("place", sa.Integer(), comment="Which of the addresses in LiveKit's record it is, from 0."),
        sa.Column("unwanted_at", TIMESTAMP, comment="Since when it is to be taken away."),
        sa.Column("over_at", TIMESTAMP, comment="When LiveKit refused it, gave it up or had taken it away."),
        sa.Column(
            "next_look_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When LiveKit's record is looked at next."
        ),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When the row was written."),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name=f"{TABLE}_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["nchat_stream_destinations.id"], name=f"{TABLE}_destination_id_fkey", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=f"{TABLE}_pkey"),
        comment="Addresses that egresses of streams send to.",
    )
    for column in ("stream_id", "destination_id", "egress_id"):
        op.create_index(f"{TABLE}_{column}_idx", TABLE, [column])
    op.create_index(
        f"{TABLE}_wanted_key", TABLE, ["destination_id", "egress_id"], unique=True, postgresql_where=sa.text("unwanted_at IS NULL")
    )


def create_stream_health() -> None:
    op.create_table(
        HEALTH,
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("reported_at", TIMESTAMP, comment="When the host's client last reported."),
        sa.Column("video_bitrate", sa.BigInteger(), comment="What it sends of the picture, in bits a second."),
        sa.Column("audio_bitrate", sa.BigInteger(), comment="What it sends of the sound, in bits a second."),
        sa.Column("width", sa.Integer(), comment="Width of its picture."),
        sa.Column("height", sa.Integer(), comment="Height of its picture."),
        sa.Column("fps", sa.Double(), comment="Frames a second that it sends."),
        sa.Column("target_fps", sa.Double(), comment="Frames a second that it wants to send."),
        sa.Column("packet_loss", sa.Double(), comment="Share of its packets that were lost, of 1."),
        sa.Column("limited_by", sa.Text(), comment="What keeps it from sending more: none, cpu, bandwidth or other."),
        sa.Column("best_fps", sa.Double(), comment="The highest fps that it reported."),
        sa.Column("best_bitrate", sa.BigInteger(), comment="The highest video_bitrate that it reported."),
        sa.Column("looked_at", TIMESTAMP, comment="When room and playlist were last looked at."),
        sa.Column("room_video", sa.Text(), comment="What people send into the room of pictures: absent, muted or sent; null: not known."),
        sa.Column("room_audio", sa.Text(), comment="The same of sound."),
        sa.Column(
            "media_share", sa.Double(), comment="How much media the last segments hold, as a share of the time in which they were made."
        ),
        sa.Column(
            "next_look_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When room and playlist are looked at next."
        ),
        sa.CheckConstraint("limited_by IN ('none', 'cpu', 'bandwidth', 'other')", name=op.f(f"{HEALTH}_limited_by_check")),
        sa.CheckConstraint("room_video IN ('absent', 'muted', 'sent')", name=op.f(f"{HEALTH}_room_video_check")),
        sa.CheckConstraint("room_audio IN ('absent', 'muted', 'sent')", name=op.f(f"{HEALTH}_room_audio_check")),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name=f"{HEALTH}_stream_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", name=f"{HEALTH}_pkey"),
        comment="How running streams are doing.",
    )


def downgrade() -> None:
    limit_lock_wait()
    op.drop_table(HEALTH)
    op.drop_table(TABLE)
