"""The chat of a stream as foreign programs write it, and those who follow it."""

from typing import Any
from uuid import UUID

import asyncpg

import resolvers.actions
from permissions.session import Session
from resolvers.hand_written.action_fields import ActionFields, scan
from tests.subscriptions.listening import Listener, Listeners
from tests.support.domain_setup import ALICE, GENERAL, Setup

# For an engine without actions: it is made sooner.
FEEDS = ActionFields(subscription=scan(resolvers.actions).subscription)
ANYBODY = Session("anonymous", {"x-hasura-role": "anonymous"})
CHAT = """subscription ($stream: uuid!, $after: bigint) {
  streamChat(streamId: $stream, after: $after) {
    seq epoch kind messageId
    message { id content replyToId isHighlighted isPinned createdAt mediaSeconds author { id displayName avatarUrl } }
  }
}"""

STREAM = "INSERT INTO nchat_streams (channel_id, host_id, title, visibility) VALUES ($1, $2, 'live', $3) RETURNING id"
# Each takes its number in the statement that writes it.
MESSAGE = """WITH taken AS (UPDATE nchat_stream_counters SET chat_seq = chat_seq + 1 WHERE stream_id = $1 RETURNING chat_seq)
    INSERT INTO nchat_stream_chat (stream_id, user_id, seq, content) SELECT $1, $2, chat_seq, $3 FROM taken RETURNING id"""
MODERATION = """WITH taken AS (UPDATE nchat_stream_counters SET chat_seq = chat_seq + 1 WHERE stream_id = $1 RETURNING chat_seq),
    done AS (UPDATE nchat_stream_chat SET is_deleted = is_deleted OR $3 = 'deleted', is_pinned = $3 = 'pinned' WHERE id = $2)
    INSERT INTO nchat_stream_chat_events (stream_id, seq, kind, message_id) SELECT $1, chat_seq, $3, $2 FROM taken"""
WRITTEN = """SELECT seq, 'message' AS kind, id AS message_id, content, is_deleted FROM nchat_stream_chat WHERE stream_id = $1
    UNION ALL
    SELECT event.seq, event.kind, message_id, content, is_deleted
    FROM nchat_stream_chat_events AS event JOIN nchat_stream_chat AS message ON message.id = message_id WHERE event.stream_id = $1
    ORDER BY seq"""


def follow(listen: Listeners, who: Session, stream_id: UUID, after: int | None = 0) -> Listener:
    return listen(who, CHAT, stream=str(stream_id), after=after)


async def stream(on: Setup, visibility: str = "public", channel: UUID = GENERAL, host: UUID = ALICE) -> UUID:
    """One that nobody has written at."""
    made: UUID = await on.database.fetchval(STREAM, channel, host, visibility)
    return made


async def say(by: "asyncpg.Connection", stream_id: UUID, who: UUID, content: str) -> UUID:
    """The message's id."""
    said: UUID = await by.fetchval(MESSAGE, stream_id, who, content)
    return said


async def moderate(by: "asyncpg.Connection", stream_id: UUID, message_id: UUID, kind: str) -> None:
    await by.execute(MODERATION, stream_id, message_id, kind)


async def written(on: Setup, stream_id: UUID) -> list[Any]:
    """All that happened there, in order."""
    return list(await on.database.fetch(WRITTEN, stream_id))
