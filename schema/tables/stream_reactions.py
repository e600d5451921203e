"""Reactions to a stream."""

import sqlalchemy as sa

from schema.tables.columns import key, metadata, now, reference, vocabulary

reaction_type = vocabulary("reaction_type", "like", "love", "fire", "clap", "wow", "laugh", "sad")

stream_reactions = sa.Table(
    "nchat_stream_reactions",
    metadata,
    key("The reaction."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "Who reacted.", index=True),
    sa.Column("type", reaction_type, nullable=False, comment="What it says."),
    now("created_at", "When it was sent."),
    sa.Index(None, "stream_id", "created_at"),
    comment="Reactions to streams.",
)
