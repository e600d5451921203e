"""Subscriptions in numbers, all of one person: sockets that follow a call, and live queries that change every second."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from bench.fanout.candidates import CALLS, WRITE
from devstack.demo_data import GENERAL, USER_IDS
from tests.hostile.attacked_service import AttackedService
from tests.hostile.scale import scaled
from tests.support.waiting import eventually

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
    follow = _subscribe("1", FOLLOW, {"call": str(call)})
    async with attacked.good_neighbour(), _subscribed(attacked, sockets, [[_init(attacked), follow]]) as swarm:
        await _write(database, call, events, every=0.1)
        await eventually(lambda: swarm.has_received(sockets * events), seconds=30)
    assert (swarm.lost, swarm.doubled, swarm.closed) == (0, 0, 0)


async def test_a_thousand_live_queries_change_every_second(
    attacked: AttackedService, database: "asyncpg.Connection[Any]", call: UUID
) -> None:
    """Each a document of its own: none is asked for together with another."""
    queries = scaled(1000, 300)
    sockets = queries // OF_ONE_SOCKET
    messages = [[_init(attacked), *(_live_query(socket * OF_ONE_SOCKET + n) for n in range(OF_ONE_SOCKET))] for socket in range(sockets)]
    async with attacked.good_neighbour(), _subscribed(attacked, sockets, messages) as swarm:
        await _write(database, call, SECONDS, every=1)
        await eventually(lambda: swarm.has_received(queries), seconds=30)
    assert swarm.closed == 0


def _init(attacked: AttackedService) -> str:
    return orjson.dumps({"type": "connection_init", "payload": {"headers": attacked.bearer("bob")}}).decode()


def _subscribe(id: str, query: str, variables: dict[str, object]) -> str:
    return orjson.dumps({"type": "subscribe", "id": id, "payload": {"query": query, "variables": variables}}).decode()


def _live_query(number: int) -> str:
    query = f"subscription {{ of{number}: nchat_call_events(order_by: {{created_at: desc}}, limit: 5) {{ seq payload }} }}"
    return _subscribe(str(number), query, {})


@dataclass(slots=True)
class Swarm:
    """Many subscribers in a process of their own (`bench.fanout.swarm`), and what they have received so far."""

    process: Process
    received: int = 0
    lost: int = 0
    doubled: int = 0
    closed: int = 0

    async def has_received(self, events: int) -> bool:
        """Whether they have so many in all."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"\n")
        found = orjson.loads(await self.process.stdout.readline())
        self.received += found["events"]
        self.lost, self.doubled, self.closed = self.lost + found["lost"], self.doubled + found["doubled"], self.closed + found["closed"]
        return self.received >= events


@asynccontextmanager
async def _subscribed(attacked: AttackedService, sockets: int, messages: Sequence[Sequence[str]]) -> AsyncIterator[Swarm]:
    command = [sys.executable, "-m", "bench.fanout.swarm", str(attacked.port), str(sockets)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(orjson.dumps({"path": "/v1/graphql", "subprotocol": "graphql-transport-ws", "messages": messages}) + b"\n")
        assert await process.stdout.readline() == b"ready\n"
        yield Swarm(process)
    finally:
        process.kill()
        await process.wait()


async def _write(database: "asyncpg.Connection[Any]", call: UUID, events: int, every: float) -> None:
    """Events of the call, written by somebody else who gives no hints."""
    for _ in range(events):
        await database.execute(WRITE, call, USER_IDS["bob"], "{}")
        await asyncio.sleep(every)  # the attack's own pace
