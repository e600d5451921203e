"""nchat's channels and who belongs to them. A deployment's own tables have more columns."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata, reference

channels = sa.Table(
    "nchat_channels",
    metadata,
    key("The channel."),
    sa.Column("name", sa.Text, nullable=False, comment="Name of the channel."),
    comment="Channels of the chat product.",
)

# `role` is text here; a deployment may have an enum of its own, so compare it as text: `cast(channel_members.c.role, Text)`.
channel_members = sa.Table(
    "nchat_channel_members",
    metadata,
    reference("channel_id", "nchat_channels.id", "The channel.", primary_key=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The member.", primary_key=True, ondelete="CASCADE"),
    sa.Column("role", sa.Text, nullable=False, server_default=sa.text("'member'"), comment="owner, admin, moderator or member."),
    sa.CheckConstraint("role IN ('owner', 'admin', 'moderator', 'member')", name="role"),
    sa.Index(None, "user_id", "channel_id"),
    comment="Members of channels.",
)
