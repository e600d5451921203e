"""A stream's chat: messages and what moderators did to them, on one gapless sequence."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from schema.tables.columns import flag, key, metadata, now, numbered, reference

# A table of its own and never in GraphQL: on the stream's row every message would touch updated_at and re-run live queries.
stream_counters = sa.Table(
    "nchat_stream_counters",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    sa.Column("chat_seq", sa.BigInteger, nullable=False, server_default=sa.text("0"), comment="Sequence number of the last chat event."),
    comment="Last chat number of each stream.",
)

stream_chat = sa.Table(
    "nchat_stream_chat",
    metadata,
    key("The message."),
    reference("stream_id", "nchat_streams.id", "The stream.", index=True, ondelete="CASCADE"),
    reference("user_id", "nchat_users.id", "The author.", index=True),
    sa.Column("seq", sa.BigInteger, nullable=False, comment="Place in the stream's chat, without gaps among messages and chat events."),
    sa.Column("content", sa.Text, nullable=False, comment="The text, 1 to 500 characters."),
    reference("reply_to_id", "nchat_stream_chat.id", "The message answered.", nullable=True, index=True),
    flag("is_pinned", "Pinned by a moderator."),
    flag("is_highlighted", "Highlighted by a moderator."),
    flag("is_deleted", "Deleted by its author or a moderator."),
    reference("deleted_by", "nchat_users.id", "Who deleted it.", nullable=True, index=True),
    sa.Column("client_message_id", pg.UUID(), comment="The client's id of the message: sending it again changes nothing."),
    now("created_at", "When it was written."),
    sa.UniqueConstraint("stream_id", "seq"),
    sa.UniqueConstraint("stream_id", "user_id", "client_message_id"),
    sa.Index(None, "created_at"),
    sa.Index(None, "stream_id", "created_at"),
    sa.CheckConstraint("char_length(content) BETWEEN 1 AND 500", name="content_length"),
    comment="Chat messages of streams.",
    info=numbered("stream_id", "seq"),
)

stream_chat_events = sa.Table(
    "nchat_stream_chat_events",
    metadata,
    reference("stream_id", "nchat_streams.id", "The stream.", primary_key=True, ondelete="CASCADE"),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False, comment="From the same sequence as the messages."),
    sa.Column("kind", sa.Text, nullable=False, comment="pinned, unpinned, highlighted or deleted."),
    reference("message_id", "nchat_stream_chat.id", "The message.", index=True, ondelete="CASCADE"),
    reference("actor_id", "nchat_users.id", "Who did it.", nullable=True, index=True),
    now("created_at", "When it happened."),
    sa.CheckConstraint("kind IN ('pinned', 'unpinned', 'highlighted', 'deleted')", name="kind"),
    comment="Moderation of stream chat, stored so that a replay is complete.",
    info=numbered("stream_id", "seq"),
)
