"""A call's row brings its room's name, its counter and its first event; its rules hold for every writer."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.tables.conftest import ALICE, BOB, GENERAL

pytestmark = pytest.mark.anyio


async def test_a_call_begins_its_history(connection: asyncpg.Connection, call_id: UUID) -> None:
    events = await connection.fetch("SELECT seq, kind, actor_id, payload FROM nchat_call_events WHERE call_id = $1", call_id)
    assert [tuple(event) for event in events] == [(1, "call_initiate", ALICE, "{}")]
    assert await connection.fetchval("SELECT event_seq FROM nchat_call_counters WHERE call_id = $1", call_id) == 1


async def test_a_refused_call_leaves_no_history(connection: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute("INSERT INTO nchat_calls (initiator_id, type) VALUES ($1, 'audio')", uuid4())
    assert await connection.fetchval("SELECT count(*) FROM nchat_call_events") == 0
    assert await connection.fetchval("SELECT count(*) FROM nchat_call_counters") == 0


async def test_the_room_is_named_by_the_database(connection: asyncpg.Connection, call_id: UUID) -> None:
    row = await connection.fetchrow("SELECT room_name, status::text, metadata, updated_at = created_at AS fresh FROM nchat_calls")
    assert row is not None
    assert UUID(row["room_name"].removeprefix("call_"))
    assert (row["status"], json.loads(row["metadata"]), row["fresh"]) == ("initiated", {}, True)


async def test_updated_at_follows_changes_only(connection: asyncpg.Connection, call_id: UUID) -> None:
    await connection.execute("UPDATE nchat_calls SET status = status")
    assert await connection.fetchval("SELECT updated_at = created_at FROM nchat_calls")
    await connection.execute("UPDATE nchat_calls SET status = 'ringing'")
    assert await connection.fetchval("SELECT updated_at > created_at FROM nchat_calls")


async def test_the_channel_is_checked_last(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        new = "INSERT INTO nchat_calls (initiator_id, channel_id, type) VALUES ($1, $2, 'audio')"
        await connection.execute(new, ALICE, unknown := uuid4())
        await connection.execute("UPDATE nchat_calls SET channel_id = $1 WHERE channel_id = $2", GENERAL, unknown)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await connection.execute(new, ALICE, uuid4())
    assert await connection.fetchval("SELECT count(*) FROM nchat_calls") == 1


async def test_a_request_makes_one_call_per_person(connection: asyncpg.Connection) -> None:
    new = "INSERT INTO nchat_calls (initiator_id, type, client_request_id) VALUES ($1, 'audio', $2)"
    await connection.execute(new, ALICE, request := uuid4())
    await connection.execute(new, BOB, request)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(new, ALICE, request)
    assert await connection.fetchval("SELECT count(*) FROM nchat_calls") == 2


@pytest.mark.parametrize("table", ["nchat_calls", "nchat_call_participants"])
async def test_metadata_is_small(connection: asyncpg.Connection, call_id: UUID, table: str) -> None:
    await connection.execute("INSERT INTO nchat_call_participants (call_id, user_id) VALUES ($1, $2)", call_id, BOB)
    fits, too_long = (json.dumps({"note": "x" * length}) for length in (8192 - 12, 8192 - 11))
    await connection.execute(f"UPDATE {table} SET metadata = $1", fits)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"UPDATE {table} SET metadata = $1", too_long)
    assert await connection.fetchval(f"SELECT metadata FROM {table}") == fits


@pytest.mark.parametrize(
    ("connected", "ended", "seconds"),
    [(None, None, None), ("10:00:00", None, None), (None, "10:00:30", 0), ("10:00:00", "10:01:30.9", 90), ("10:00:01", "10:00:00", 0)],
)
async def test_duration(
    connection: asyncpg.Connection, call_id: UUID, connected: str | None, ended: str | None, seconds: int | None
) -> None:
    moments = [moment and datetime.fromisoformat(f"2026-03-01T{moment}").replace(tzinfo=UTC) for moment in (connected, ended)]
    await connection.execute("UPDATE nchat_calls SET connected_at = $1, ended_at = $2", *moments)
    assert await connection.fetchval("SELECT nchat_calls_duration(c) FROM nchat_calls c") == seconds


async def test_is_recording_and_is_streaming(connection: asyncpg.Connection, call_id: UUID, stream_id: UUID) -> None:
    shown = "SELECT (nchat_calls_is_recording(c), nchat_calls_is_streaming(c)) FROM nchat_calls c"
    await connection.execute("INSERT INTO nchat_call_recordings (call_id, status) VALUES ($1, 'starting')", call_id)
    await connection.execute("UPDATE nchat_streams SET call_id = $1, status = 'starting'", call_id)
    assert await connection.fetchval(shown) == (False, False)
    await connection.execute("UPDATE nchat_call_recordings SET status = 'recording'")
    await connection.execute("UPDATE nchat_streams SET status = 'live'")
    assert await connection.fetchval(shown) == (True, True)


async def test_computed_fields_do_not_follow_the_search_path(connection: asyncpg.Connection, call_id: UUID) -> None:
    await connection.execute("INSERT INTO nchat_call_recordings (call_id, status) VALUES ($1, 'recording')", call_id)
    await connection.execute("CREATE SCHEMA other")
    await connection.execute("CREATE TABLE other.nchat_call_recordings (LIKE nchat_call_recordings)")
    await connection.execute("SET search_path = other, public")
    assert await connection.fetchval("SELECT nchat_calls_is_recording(c) FROM nchat_calls c") is True
