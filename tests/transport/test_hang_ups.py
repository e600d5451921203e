"""Who hangs up stops their query, also one that waits; a mutation that has begun runs to its end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from tests.hostile.raw_client import message, raw_client, request, upgrade
from tests.support.waiting import eventually
from tests.transport.test_service import ALICE, Asker, asking, bearer, settings

pytestmark = pytest.mark.anyio

QUERY = "{ nchat_users { id } }"
MUTATION = "mutation { insert_nchat_calls_one(object: {type: audio, metadata: {late: true}}) { id } }"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    " AND application_name = 'nchat-rtc graphql'"
)


@pytest.fixture
async def service(demo_database_url: str) -> AsyncIterator[Asker]:
    # No time limit of a statement ends what a hang-up should have.
    async with asking(settings(demo_database_url, statement_timeout=60.0)) as ask:
        yield ask


@asynccontextmanager
async def locked_users(url: str) -> AsyncIterator[asyncpg.Connection]:
    """Whoever reads users waits as long as the block runs."""
    locking = await asyncpg.connect(url)
    watching = await asyncpg.connect(url)
    try:
        async with locking.transaction():
            await locking.execute("LOCK TABLE nchat_users, nchat_calls IN ACCESS EXCLUSIVE MODE")
            yield watching
    finally:
        await locking.close()
        await watching.close()


@pytest.mark.parametrize("farewell", ["close", "reset"])
async def test_a_query_stops_with_its_sender(service: Asker, demo_database_url: str, farewell: str) -> None:
    async with locked_users(demo_database_url) as watching:
        for _ in range(3):
            async with raw_client(_port(service)) as client:
                await client.send(request({"query": QUERY}, bearer(ALICE)))
                await eventually(lambda: waiting(watching, 1))
                if farewell == "reset":
                    client.reset()
            await eventually(lambda: waiting(watching, 0))


async def test_a_batch_stops_with_its_sender(service: Asker, demo_database_url: str) -> None:
    async with locked_users(demo_database_url) as watching:
        async with raw_client(_port(service)) as client:
            await client.send(request([{"query": QUERY}] * 5, bearer(ALICE)))
            await eventually(lambda: waiting(watching, 1))
        await eventually(lambda: waiting(watching, 0))
    assert (await service.http.get("/healthz")).is_success


async def test_a_websocket_stops_its_query(service: Asker, demo_database_url: str) -> None:
    async with locked_users(demo_database_url) as watching:
        async with raw_client(_port(service)) as client:
            await upgrade(client)
            await client.send(message(type="connection_init", payload={"headers": bearer(ALICE)}))
            await client.send(message(type="subscribe", id="1", payload={"query": QUERY}))
            await eventually(lambda: waiting(watching, 1))
        await eventually(lambda: waiting(watching, 0))


async def test_a_mutation_that_has_begun_is_not_cut(service: Asker, demo_database_url: str) -> None:
    async with locked_users(demo_database_url) as watching:
        async with raw_client(_port(service)) as client:
            await client.send(request({"query": MUTATION}, bearer(ALICE)))
            await eventually(lambda: waiting(watching, 1))
        # Long after a query would have been stopped.
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await eventually(lambda: waiting(watching, 0))

    async def done() -> bool:
        answer = await service("{ nchat_calls { metadata } }", bearer(ALICE))
        return {"late": True} in [row["metadata"] for row in answer["data"]["nchat_calls"]]

    await eventually(done)


async def waiting(watching: asyncpg.Connection, number: int) -> bool:
    """Whether so many statements wait for the lock."""
    found: int = await watching.fetchval(WAITING)
    return found == number


def _port(service: Asker) -> int:
    return int(service.address.rpartition(":")[2])
