"""The calls that a run follows, and what is true of them in the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from bench.faults.history import Line, line_of
from devstack.demo_data import GENERAL, USER_IDS

# Calls of the channel that nothing ends: nobody waits for anybody there. The database writes the first event of each.
_CALLS: Final = """INSERT INTO nchat_calls (channel_id, initiator_id, type, status, status_since)
    SELECT $2, $3, 'audio', 'connected', now() + interval '1 day' FROM generate_series(1, $1) RETURNING id"""
_SEATS: Final = """INSERT INTO nchat_call_participants (call_id, user_id, role, status, status_since, joined_at)
    SELECT call_id, user_id, 'host', 'connected', now() + interval '1 day', now()
    FROM unnest($1::uuid[]) call_id, unnest($2::uuid[]) user_id"""
_EVENTS: Final = "SELECT seq, kind, actor_id::text, payload::text FROM nchat_call_events WHERE call_id = $1 ORDER BY seq"
# Who is in each call; everybody else in the channel may follow it.
SEATED: Final = ("alice", "bob")


@asynccontextmanager
async def connected(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as long as the block."""
    connection: asyncpg.Connection[Any] = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def open_calls(database: "asyncpg.Connection[Any]", many: int) -> Sequence[UUID]:
    """So many calls with the same two people in each; returns their ids."""
    ids = [row["id"] for row in await database.fetch(_CALLS, many, GENERAL, USER_IDS["alice"])]
    await database.execute(_SEATS, ids, [USER_IDS[name] for name in SEATED])
    return ids


async def truth_of(database: "asyncpg.Connection[Any]", call_id: UUID) -> Sequence[Line]:
    """All events of a call as PostgreSQL has them."""
    rows = await database.fetch(_EVENTS, call_id)
    return [line_of(row["seq"], row["kind"], row["actor_id"], orjson.loads(row["payload"])) for row in rows]
