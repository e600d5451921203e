"""Who may ring a person, and until when nobody."""

import sqlalchemy as sa

from schema.tables.columns import metadata, moment, reference

user_call_settings = sa.Table(
    "nchat_user_call_settings",
    metadata,
    reference("user_id", "nchat_users.id", "Whose settings these are.", primary_key=True, ondelete="CASCADE"),
    moment("dnd_until", "Until then nobody rings; null or over: no rest is asked for."),
    sa.Column("ring_from", sa.Text, nullable=False, server_default=sa.text("'anyone'"), comment="anyone, channel_members or nobody."),
    sa.CheckConstraint("ring_from IN ('anyone', 'channel_members', 'nobody')", name="ring_from"),
    comment="How a person wants to be rung. A person without a row is rung by anyone.",
)
