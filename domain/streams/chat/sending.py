"""Sending a message: the hottest write there is."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.errors import BlockedTerm, InvalidInput, RateLimited
from domain.input_checks import require_text
from domain.streams.chat.question import Floor, Message, ask, lock_author
from domain.streams.chat.terms.channel_terms import CHANNEL_TERMS
from domain.streams.chat.terms.folding import is_blank
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_chat import stream_chat

LONGEST_MESSAGE: Final = 500
# The number is taken where the row is written: no gap when something fails, and none is seen before a smaller one. Its time is that of
# the number, so that both say the same order.
WRITE: Final = sa.text("""
    WITH taken AS (
        UPDATE nchat_stream_counters SET chat_seq = chat_seq + 1 WHERE stream_id = :stream RETURNING chat_seq
    )
    INSERT INTO nchat_stream_chat (stream_id, user_id, seq, content, reply_to_id, client_message_id, created_at)
    SELECT :stream, :author, chat_seq, :content, :reply_to, :client_message, clock_timestamp() FROM taken
    RETURNING id, seq
""").bindparams(*(sa.bindparam(name, type_=pg.UUID()) for name in ("stream", "author", "reply_to", "client_message")))


@dataclass(frozen=True, slots=True)
class SentResult:
    stream_id: UUID
    message_id: UUID
    seq: int


async def send_stream_chat(
    world: World, session: Session, stream_id: UUID, content: str, reply_to_id: UUID | None = None, client_message_id: UUID | None = None
) -> SentResult:
    """Writes a message at a live stream that the caller sees; sent again with the same client_message_id it is the same message.

    Refuses in this order: InvalidInput (empty, over 500 characters), RateLimited (who moderates may write more), NotFound (no such
    stream, or no such message to reply to), Banned, StreamNotLive, ChatDisabled, SlowMode (not for who moderates), BlockedTerm. A
    message that was written stays the answer to its repetition, whatever holds since; but the right to see the stream is asked.
    """
    _require_content(content)
    message = Message(stream_id, session.user_id, content, reply_to_id, client_message_id)
    limited = await _beyond_the_limit(world, message.author_id)
    async with world.transaction("send_stream_chat.write") as tx:
        await lock_author(tx, stream_id, message.author_id)
        floor = await ask(tx, world, session, message)
        floor.require_right()
        if floor.sent_id is not None and floor.sent_seq is not None:
            return SentResult(stream_id, floor.sent_id, floor.sent_seq)
        floor.require_open()
        floor.require_patience(session, limited)
        await _require_clean(tx, floor, content)
        return await _write(tx, message)


def _require_content(content: str) -> None:
    require_text("content", content, LONGEST_MESSAGE)
    if is_blank(content):
        raise InvalidInput("A message is not empty.")


async def _beyond_the_limit(world: World, author_id: UUID) -> RateLimited | None:
    """What refuses whoever does not moderate; None within everybody's limit. Raises RateLimited beyond that of moderators.

    Who moderates is known to the database alone, which is not asked for what everybody may do.
    """
    try:
        await world.limiter.hit("chat", str(author_id))
    except RateLimited as limited:
        await world.limiter.hit("chat_moderator", str(author_id))
        return limited
    return None


async def _require_clean(tx: Transaction, floor: Floor, content: str) -> None:
    if floor.terms_version is None:
        return
    terms = await CHANNEL_TERMS.of(tx, floor.channel_id, floor.terms_version)
    if terms.block(content):
        raise BlockedTerm


async def _write(tx: Transaction, message: Message) -> SentResult:
    given = {
        "stream": message.stream_id,
        "author": message.author_id,
        "content": message.content,
        "reply_to": message.reply_to_id,
        "client_message": message.client_message_id,
    }
    row = (await tx.connection.execute(WRITE, given)).one()
    tx.hint(f"stream_chat:{message.stream_id}", row.seq)
    tx.hint(f"table:{stream_chat.name}")
    return SentResult(message.stream_id, row.id, row.seq)
