"""Processes of the release before serve beside those of this one, between `migrate` and their end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
from alembic import command

import migrations
from tests.support.domain_setup import ALICE, GENERAL, Setup

pytestmark = pytest.mark.anyio
STREAM = "INSERT INTO nchat_streams (channel_id, host_id, title, status) VALUES ($1, $2, 'a stream', 'live') RETURNING id"


@pytest.fixture
async def stream(on: Setup) -> AsyncIterator[asyncpg.Connection]:
    await on.database.fetchval(STREAM, GENERAL, ALICE)
    yield on.database


async def known(database: asyncpg.Connection) -> tuple[Any, str | None]:
    row = await database.fetchrow("SELECT senders, host_sid FROM nchat_streams")
    assert row is not None
    return orjson.loads(row["senders"]), row["host_sid"]


async def test_who_sends_is_known_to_both(stream: asyncpg.Connection) -> None:
    """The release before knows one connection (`host_sid`), this one all of them, by who sends."""
    await stream.execute("UPDATE nchat_streams SET host_sid = 'PA_1', host_gone_since = NULL")
    assert await known(stream) == ({str(ALICE): "PA_1"}, "PA_1")
    await stream.execute('UPDATE nchat_streams SET senders = senders || \'{"an encoder": "PA_2"}\'')
    assert await known(stream) == ({str(ALICE): "PA_1", "an encoder": "PA_2"}, "PA_1")
    await stream.execute(f"UPDATE nchat_streams SET senders = senders - '{ALICE}'")
    assert await known(stream) == ({"an encoder": "PA_2"}, "PA_2")
    await stream.execute("UPDATE nchat_streams SET host_sid = NULL, host_gone_since = now()")
    assert await known(stream) == ({}, None)
    await stream.execute("UPDATE nchat_streams SET host_sid = 'PA_3'")
    await stream.execute("UPDATE nchat_streams SET senders = '{}'")
    assert await known(stream) == ({}, None)


async def test_a_database_that_lost_the_column_gets_it_again(empty_database_url: str) -> None:
    """0040 took it away at first."""
    await asyncio.to_thread(migrations.upgrade, empty_database_url, "0044")
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute("ALTER TABLE nchat_streams DROP COLUMN host_sid")
    await connection.close()
    await asyncio.to_thread(migrations.upgrade, empty_database_url)
    await asyncio.to_thread(command.check, migrations.configuration(empty_database_url))
