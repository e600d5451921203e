"""Who is banned from a stream."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata, moment, now, reference

UNLIFTED = sa.text("lifted_at IS NULL")

stream_bans = sa.Table(
    "nchat_stream_bans",
    metadata,
    key("The ban."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The banned person.", index=True),
    reference("banned_by", "nchat_users.id", "Who banned.", index=True),
    sa.Column("reason", sa.Text, comment="Why."),
    moment("expires_at", "When it ends by itself; null is never."),
    # A permission rule can't say "now": a job sets this at expiry.
    moment("lifted_at", "When it was lifted or ran out; null while it holds."),
    now("created_at", "When the ban was made."),
    sa.Index("nchat_stream_bans_one_unlifted", "stream_id", "user_id", unique=True, postgresql_where=UNLIFTED),
    sa.Index("nchat_stream_bans_expiring_idx", "expires_at", postgresql_where=UNLIFTED),
    comment="Bans from streams.",
)
