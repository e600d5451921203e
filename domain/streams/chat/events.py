"""What was done to a message, as an event on the chat's own sequence."""

from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction
from schema.tables.stream_chat import stream_chat

ChatEventKind = Literal["pinned", "unpinned", "highlighted", "deleted"]

WRITE: Final = sa.text("""
    WITH taken AS (
        UPDATE nchat_stream_counters SET chat_seq = chat_seq + 1 WHERE stream_id = :stream RETURNING chat_seq
    )
    INSERT INTO nchat_stream_chat_events (stream_id, seq, kind, message_id, actor_id, created_at)
    SELECT :stream, chat_seq, :kind, :message, :actor, clock_timestamp() FROM taken
    RETURNING seq
""").bindparams(*(sa.bindparam(name, type_=pg.UUID()) for name in ("stream", "message", "actor")), sa.bindparam("kind", type_=sa.Text))


async def append(tx: Transaction, stream_id: UUID, kind: ChatEventKind, message_id: UUID, actor_id: UUID) -> int:
    """The chat's next event, in the transaction that does what it tells; its seq. The counter's row stays locked until the commit.

    Whoever holds the message's row may call this, and nobody takes the two the other way round.
    """
    given = {"stream": stream_id, "kind": kind, "message": message_id, "actor": actor_id}
    seq: int = (await tx.connection.execute(WRITE, given)).scalar_one()
    tx.hint(f"stream_chat:{stream_id}", seq)
    tx.hint(f"table:{stream_chat.name}")
    return seq
