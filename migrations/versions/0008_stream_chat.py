"""Chat of streams."""

import sqlalchemy as sa
from alembic import op

from migrations.shorthand import TIMESTAMP, UUID, limit_lock_wait

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


# The counter comes with the stream, so that the statement that takes a number only ever updates.
BEGIN_CHAT = """
    CREATE FUNCTION nchat_begin_stream_chat() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
    BEGIN
        INSERT INTO nchat_stream_counters (stream_id) VALUES (NEW.id);
        RETURN NULL;
    END $$
"""
ON_INSERT = """
    CREATE TRIGGER nchat_streams_begin_chat AFTER INSERT ON nchat_streams
    FOR EACH ROW EXECUTE FUNCTION nchat_begin_stream_chat()
"""


def upgrade() -> None:
    limit_lock_wait()
    create_stream_counters()
    create_stream_chat()
    create_stream_chat_events()
    op.execute(BEGIN_CHAT)
    op.execute(ON_INSERT)


def downgrade() -> None:
    limit_lock_wait()
    op.execute("DROP TRIGGER nchat_streams_begin_chat ON nchat_streams")
    op.execute("DROP FUNCTION nchat_begin_stream_chat()")
    op.drop_table("nchat_stream_chat_events")
    op.drop_table("nchat_stream_chat")
    op.drop_table("nchat_stream_counters")


def create_stream_counters() -> None:
    op.create_table(
        "nchat_stream_counters",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column(
            "chat_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="Sequence number of the last chat event."
        ),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_counters_stream_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", name="nchat_stream_counters_pkey"),
        comment="Last chat number of each stream.",
    )


def create_stream_chat() -> None:
    op.create_table(
        "nchat_stream_chat",
        sa.Column("id", UUID, server_default=sa.text("gen_random_uuid()"), nullable=False, comment="The message."),
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("user_id", UUID, nullable=False, comment="The author."),
        sa.Column(
            "seq", sa.BigInteger(), nullable=False, comment="Place in the stream's chat, without gaps among messages and chat events."
        ),
        sa.Column("content", sa.Text(), nullable=False, comment="The text, 1 to 500 characters."),
        sa.Column("reply_to_id", UUID, comment="The message answered."),
        sa.Column("is_pinned", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Pinned by a moderator."),
        sa.Column("is_highlighted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Highlighted by a moderator."),
        sa.Column(
            "is_deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="Deleted by its author or a moderator."
        ),
        sa.Column("deleted_by", UUID, comment="Who deleted it."),
        sa.Column("client_message_id", UUID, comment="The client's id of the message: sending it again changes nothing."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it was written."),
        sa.CheckConstraint("char_length(content) BETWEEN 1 AND 500", name=op.f("nchat_stream_chat_content_length_check")),
        sa.ForeignKeyConstraint(["deleted_by"], ["nchat_users.id"], name="nchat_stream_chat_deleted_by_fkey"),
        sa.ForeignKeyConstraint(["reply_to_id"], ["nchat_stream_chat.id"], name="nchat_stream_chat_reply_to_id_fkey"),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_chat_stream_id_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["nchat_users.id"], name="nchat_stream_chat_user_id_fkey"),
        sa.PrimaryKeyConstraint("id", name="nchat_stream_chat_pkey"),
        sa.UniqueConstraint("stream_id", "seq", name="nchat_stream_chat_stream_id_seq_key"),
        sa.UniqueConstraint("stream_id", "user_id", "client_message_id", name="nchat_stream_chat_stream_id_user_id_client_message_id_key"),
        comment="Chat messages of streams.",
    )
    op.create_index("nchat_stream_chat_created_at_idx", "nchat_stream_chat", ["created_at"])
    op.create_index("nchat_stream_chat_deleted_by_idx", "nchat_stream_chat", ["deleted_by"])
    op.create_index("nchat_stream_chat_reply_to_id_idx", "nchat_stream_chat", ["reply_to_id"])
    op.create_index("nchat_stream_chat_stream_id_created_at_idx", "nchat_stream_chat", ["stream_id", "created_at"])
    op.create_index("nchat_stream_chat_stream_id_idx", "nchat_stream_chat", ["stream_id"])
    op.create_index("nchat_stream_chat_user_id_idx", "nchat_stream_chat", ["user_id"])


def create_stream_chat_events() -> None:
    op.create_table(
        "nchat_stream_chat_events",
        sa.Column("stream_id", UUID, nullable=False, comment="The stream."),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="From the same sequence as the messages."),
        sa.Column("kind", sa.Text(), nullable=False, comment="pinned, unpinned, highlighted or deleted."),
        sa.Column("message_id", UUID, nullable=False, comment="The message."),
        sa.Column("actor_id", UUID, comment="Who did it."),
        sa.Column("created_at", TIMESTAMP, server_default=sa.text("now()"), nullable=False, comment="When it happened."),
        sa.CheckConstraint("kind IN ('pinned', 'unpinned', 'highlighted', 'deleted')", name=op.f("nchat_stream_chat_events_kind_check")),
        sa.ForeignKeyConstraint(["actor_id"], ["nchat_users.id"], name="nchat_stream_chat_events_actor_id_fkey"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["nchat_stream_chat.id"], name="nchat_stream_chat_events_message_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["stream_id"], ["nchat_streams.id"], name="nchat_stream_chat_events_stream_id_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream_id", "seq", name="nchat_stream_chat_events_pkey"),
        comment="Moderation of stream chat, stored so that a replay is complete.",
    )
    op.create_index("nchat_stream_chat_events_actor_id_idx", "nchat_stream_chat_events", ["actor_id"])
    op.create_index("nchat_stream_chat_events_message_id_idx", "nchat_stream_chat_events", ["message_id"])
