"""Sockets whose clients read slowly, or stop: each has everything in the end, and nobody waits for them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from tests.transport.fakes import Client, websocket
from tests.transport.test_service import ALICE, asking, bearer, settings

pytestmark = pytest.mark.anyio

START = 'mutation { insert_nchat_calls_one(object: {type: "audio"}) { id } }'
EVENTS = "subscription ($call: uuid!) { callEvents(callId: $call, after: 0) { seq payload } }"
# Events of 4 kB each, more than what the kernel keeps for a client that does not read.
WRITE = """WITH taken AS (UPDATE nchat_call_counters SET event_seq = event_seq + $2::int WHERE call_id = $1 RETURNING event_seq)
    INSERT INTO nchat_call_events (call_id, seq, kind, payload)
    SELECT $1, event_seq - $2::int + n, 'connection_quality_changed', jsonb_build_object('filling', repeat('x', 4000))
    FROM taken, generate_series(1, $2::int) n"""
ROUNDS, EACH = 6, 400


@pytest.fixture
async def database(demo_database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(demo_database_url)
    yield connection
    await connection.close()


async def take(client: Client, first: int, last: int) -> None:
    """The events with these seqs, each once and in order."""
    for seq in range(first, last + 1):
        message = await client.receive()
        assert message["payload"]["data"]["callEvents"]["seq"] == seq, message


async def test_who_stops_reading_has_everything_afterwards_and_holds_up_nobody(
    demo_database_url: str, database: "asyncpg.Connection"
) -> None:
    async with asking(settings(demo_database_url)) as ask, AsyncExitStack() as stack:
        reads, stops = [await stack.enter_async_context(websocket(ask.address)) for _ in range(2)]
        call_id = (await ask(START, bearer(ALICE)))["data"]["insert_nchat_calls_one"]["id"]
        for client in (reads, stops):
            await client.init(bearer(ALICE))
            await client.subscribe(EVENTS, variables={"call": call_id})
        await asyncio.gather(take(reads, 1, 1), take(stops, 1, 1))
        for number in range(ROUNDS):
            await database.execute(WRITE, UUID(call_id), EACH)
            async with asyncio.timeout(5):
                await take(reads, 2 + number * EACH, 1 + (number + 1) * EACH)
        last = 1 + ROUNDS * EACH
        async with asyncio.timeout(60):
            await take(stops, 2, last)
        # It is live again, by the short way.
        await database.execute(WRITE, UUID(call_id), EACH)
        await asyncio.gather(take(reads, last + 1, last + EACH), take(stops, last + 1, last + EACH))
