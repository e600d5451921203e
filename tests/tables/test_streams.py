"""A stream's room, counter, bans and chat."""

from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tables.conftest import ALICE, BOB

pytestmark = pytest.mark.anyio


async def test_a_stream_begins_its_chat(connection: asyncpg.Connection, stream_id: UUID) -> None:
    assert await connection.fetchval("SELECT chat_seq FROM nchat_stream_counters WHERE stream_id = $1", stream_id) == 0
    assert UUID((await connection.fetchval("SELECT room_name FROM nchat_streams")).removeprefix("stream_"))


async def test_duration_is_known_once_it_ended(connection: asyncpg.Connection, stream_id: UUID) -> None:
    shown = "SELECT nchat_streams_duration(s) FROM nchat_streams s"
    await connection.execute("UPDATE nchat_streams SET started_at = '2026-03-01 10:00:00+00'")
    assert await connection.fetchval(shown) is None
    await connection.execute("UPDATE nchat_streams SET ended_at = '2026-03-01 10:02:03+00'")
    assert await connection.fetchval(shown) == 123


@pytest.mark.parametrize(("column", "most"), [("title", 200), ("description", 10_000)])
async def test_words_are_short(connection: asyncpg.Connection, stream_id: UUID, column: str, most: int) -> None:
    write = f"UPDATE nchat_streams SET {column} = $1"
    await connection.execute(write, "ä" * most)
    with pytest.raises(asyncpg.CheckViolationError, match=f"nchat_streams_{column}_length_check"):
        await connection.execute(write, "ä" * (most + 1))
    assert await connection.fetchval(f"SELECT {column} FROM nchat_streams") == "ä" * most
    validated = "SELECT convalidated FROM pg_constraint WHERE conname = $1"
    assert await connection.fetchval(validated, f"nchat_streams_{column}_length_check")


async def test_one_ban_holds_at_a_time(connection: asyncpg.Connection, stream_id: UUID) -> None:
    ban = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
    await connection.execute(ban, stream_id, BOB, ALICE)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(ban, stream_id, BOB, ALICE)
    await connection.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
    await connection.execute(ban, stream_id, BOB, ALICE)
    assert await connection.fetchval("SELECT count(*) FROM nchat_stream_bans") == 2


async def test_a_message_has_its_place_and_is_written_once(connection: asyncpg.Connection, stream_id: UUID) -> None:
    new = "INSERT INTO nchat_stream_chat (stream_id, user_id, seq, content, client_message_id) VALUES ($1, $2, $3, $4, $5)"
    await connection.execute(new, stream_id, BOB, 1, "hello", message := uuid4())
    await connection.execute(new, stream_id, ALICE, 2, "x" * 500, message)
    for seq, content, client_id, error in (
        (1, "same place", None, asyncpg.UniqueViolationError),
        (3, "same message", message, asyncpg.UniqueViolationError),
        (3, "", None, asyncpg.CheckViolationError),
        (3, "x" * 501, None, asyncpg.CheckViolationError),
    ):
        with pytest.raises(error):
            await connection.execute(new, stream_id, BOB, seq, content, client_id)
    assert await connection.fetchval("SELECT count(*) FROM nchat_stream_chat") == 2


async def test_everything_of_a_stream_goes_with_it(connection: asyncpg.Connection, stream_id: UUID) -> None:
    await connection.execute("INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)", stream_id, BOB, ALICE)
    await connection.execute("INSERT INTO nchat_stream_reactions (stream_id, user_id, type) VALUES ($1, $2, 'clap')", stream_id, BOB)
    await connection.execute("DELETE FROM nchat_streams")
    left = "SELECT (SELECT count(*) FROM nchat_stream_invites) + (SELECT count(*) FROM nchat_stream_reactions)"
    assert await connection.fetchval(left + " + (SELECT count(*) FROM nchat_stream_counters)") == 0
