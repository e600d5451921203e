"""Who is invited to an invite-only stream."""

import sqlalchemy as sa

from schema.tables.columns import metadata, now, reference

stream_invites = sa.Table(
    "nchat_stream_invites",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The invited person.", primary_key=True),
    reference("invited_by", "nchat_users.id", "Who invited.", index=True),
    now("created_at", "When the invitation was made."),
    sa.Index(None, "user_id", "stream_id"),
    comment="Invitations to streams.",
)
