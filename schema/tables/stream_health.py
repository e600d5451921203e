"""What is known of how a running stream is doing, beside its ingress and its recording."""

import sqlalchemy as sa

from schema.tables.columns import metadata, moment, now, reference

stream_health = sa.Table(
    "nchat_stream_health",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    moment("reported_at", "When the host's client last reported."),
    sa.Column("video_bitrate", sa.BigInteger, comment="What it sends of the picture, in bits a second."),
    sa.Column("audio_bitrate", sa.BigInteger, comment="What it sends of the sound, in bits a second."),
    sa.Column("width", sa.Integer, comment="Width of its picture."),
    sa.Column("height", sa.Integer, comment="Height of its picture."),
    sa.Column("fps", sa.Double, comment="Frames a second that it sends."),
    sa.Column("target_fps", sa.Double, comment="Frames a second that it wants to send."),
    sa.Column("packet_loss", sa.Double, comment="Share of its packets that were lost, of 1."),
    sa.Column("limited_by", sa.Text, comment="What keeps it from sending more: none, cpu, bandwidth or other."),
    sa.Column("best_fps", sa.Double, comment="The highest fps that it reported, or the one that it settled at."),
    sa.Column("steady_fps", sa.Double, comment="Near which all of them have been of late."),
    moment("steady_since", "Since when."),
    sa.Column("best_bitrate", sa.BigInteger, comment="The highest video_bitrate that it reported."),
    moment("looked_at", "When room and playlist were last looked at."),
    sa.Column("room_video", sa.Text, comment="What people send into the room of pictures: absent, muted or sent; null: not known."),
    sa.Column("room_audio", sa.Text, comment="The same of sound."),
    sa.Column("media_share", sa.Double, comment="How much media the last segments hold, as a share of the time in which they were made."),
    now("next_look_at", "When room and playlist are looked at next."),
    sa.CheckConstraint("limited_by IN ('none', 'cpu', 'bandwidth', 'other')", name="limited_by"),
    sa.CheckConstraint("room_video IN ('absent', 'muted', 'sent')", name="room_video"),
    sa.CheckConstraint("room_audio IN ('absent', 'muted', 'sent')", name="room_audio"),
    comment="How running streams are doing.",
)
