"""Subscriptions in numbers, all of one person: sockets that follow a call, and live queries that change every second."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bench.fanout.candidates import CALLS, WRITE
from devstack.demo_data import GENERAL, USER_IDS
from tests.hostile.attacked_service import AttackedService
from tests.hostile.listeners import introduction, subscribed, subscription
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

OF_ONE_SOCKET = 100
FOLLOW = "subscription ($call: uuid!) { callEvents(callId: $call, after: 0) { seq kind actor { displayName } payload createdAt } }"
SECONDS = scaled(20, 5)


@pytest.fixture
async def database(demo_database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(demo_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def call(database: "asyncpg.Connection[Any]") -> UUID:
    row = await database.fetchrow(CALLS, 1, GENERAL, USER_IDS["bob"])
    assert row is not None
    return UUID(str(row["id"]))


async def test_two_thousand_follow_one_call(attacked: AttackedService, database: "asyncpg.Connection[Any]", call: UUID) -> None:
    sockets, events = scaled(2000, 400), 10 * SECONDS
    follow = subscription("1", FOLLOW, {"call": str(call)})
    async with attacked.good_neighbour(), subscribed(attacked, sockets, [[_init(attacked), follow]]) as swarm:
        await _write(database, call, events, every=0.1)
        await swarm.has_received(sockets * events)
    assert (swarm.lost, swarm.doubled, swarm.closed) == (0, 0, 0)


async def test_a_thousand_live_queries_change_every_second(
    attacked: AttackedService, database: "asyncpg.Connection[Any]", call: UUID
) -> None:
    """Each a document of its own: none is asked for together with another."""
    queries = scaled(1000, 300)
    sockets = queries // OF_ONE_SOCKET
    messages = [[_init(attacked), *(_live_query(socket * OF_ONE_SOCKET + n) for n in range(OF_ONE_SOCKET))] for socket in range(sockets)]
    async with attacked.good_neighbour(), subscribed(attacked, sockets, messages) as swarm:
        await _write(database, call, SECONDS, every=1)
        await swarm.has_received(queries)
    assert swarm.closed == 0


def _init(attacked: AttackedService) -> str:
    return introduction(attacked.bearer("bob"))


def _live_query(number: int) -> str:
    query = f"subscription {{ of{number}: nchat_call_events(order_by: {{created_at: desc}}, limit: 5) {{ seq payload }} }}"
    return subscription(str(number), query, {})


async def _write(database: "asyncpg.Connection[Any]", call: UUID, events: int, every: float) -> None:
    """Events of the call, written by somebody else who gives no hints."""
    for _ in range(events):
        await database.execute(WRITE, call, USER_IDS["bob"], "{}")
        await asyncio.sleep(every)  # the attack's own pace
