"""A connection to a migrated database with two users and a channel."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

ALICE = UUID("00000000-0000-4000-8000-000000000001")
BOB = UUID("00000000-0000-4000-8000-000000000002")
GENERAL = UUID("00000000-0000-4000-8000-000000000101")


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO nchat_users (id, username) VALUES ($1, 'alice'), ($2, 'bob')", ALICE, BOB)
    await connection.execute("INSERT INTO nchat_channels (id, name) VALUES ($1, 'general')", GENERAL)
    yield connection
    await connection.close()


@pytest.fixture
async def call_id(connection: asyncpg.Connection) -> UUID:
    """A call of alice's."""
    found: UUID = await connection.fetchval("INSERT INTO nchat_calls (initiator_id, type) VALUES ($1, 'video') RETURNING id", ALICE)
    return found


@pytest.fixture
async def stream_id(connection: asyncpg.Connection) -> UUID:
    """A stream of alice's."""
    found: UUID = await connection.fetchval(
        "INSERT INTO nchat_streams (channel_id, host_id, title) VALUES ($1, $2, 'Town hall') RETURNING id", GENERAL, ALICE
    )
    return found
