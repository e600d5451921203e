"""What tests of the ways to PostgreSQL share."""

from collections.abc import AsyncIterator

import asyncpg
import pytest


@pytest.fixture
async def other(empty_database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    """A stranger's connection to the same database: it looks at what runs, and stands in the way."""
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()
