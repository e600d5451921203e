"""A stream that alice hosts, and what was said at it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from domain.errors import ActionError
from domain.streams.chat.sending import SentResult, send_stream_chat
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.dump import dump

STREAM = """INSERT INTO nchat_streams (channel_id, host_id, title, visibility, status, chat_enabled, slow_mode_seconds)
    VALUES ($1, $2, 'a stream', $3, $4, $5, $6) RETURNING id"""
BAN = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
HAPPENED = """SELECT seq, 'message' AS kind, id AS message_id, user_id FROM nchat_stream_chat WHERE stream_id = $1
    UNION ALL SELECT seq, kind, message_id, actor_id FROM nchat_stream_chat_events WHERE stream_id = $1 ORDER BY seq"""


async def live_stream(
    on: Setup, visibility: str = "public", status: str = "live", *, chat: bool = True, slow: int = 0, host: UUID = ALICE
) -> UUID:
    """Its id."""
    made: UUID = await on.database.fetchval(STREAM, GENERAL, host, visibility, status, chat, slow)
    return made


async def banned(on: Setup, stream_id: UUID, who: UUID) -> None:
    await on.database.execute(BAN, stream_id, who, ALICE)


async def made(on: Setup, who: UUID, role: str) -> None:
    """What somebody is in the channel general."""
    await on.database.execute("UPDATE nchat_channel_members SET role = $2 WHERE user_id = $1", who, role)


async def say(on: Setup, stream_id: UUID, who: UUID = ALICE, content: str = "hello") -> SentResult:
    return await send_stream_chat(on.world, session(who), stream_id, content)


async def happened(on: Setup, stream_id: UUID) -> list[tuple[int, str, UUID]]:
    """All that was said and done there, by number."""
    return [(row["seq"], row["kind"], row["message_id"]) for row in await on.database.fetch(HAPPENED, stream_id)]


async def message(on: Setup, message_id: UUID) -> Any:
    return await on.database.fetchrow("SELECT * FROM nchat_stream_chat WHERE id = $1", message_id)


async def refused(on: Setup, act: Callable[[], Awaitable[object]]) -> ActionError:
    """The refusal, after a look that no row changed, nobody was told and LiveKit was asked nothing."""
    on.publisher.topics()
    on.rooms.asked.clear()
    before = await dump(on.database)
    with pytest.raises(ActionError) as refusal:
        await act()
    assert await dump(on.database) == before
    assert on.publisher.topics() == set()
    assert on.rooms.asked == {}
    return refusal.value
