"""A stream whose chat 2,000 follow and a hundred people fill with 50 messages a second: who asks something else hardly feels it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest

from devstack.demo_data import GENERAL, USER_IDS
from tests.hostile.attacked_service import AttackedService
from tests.hostile.listeners import introduction, subscribed, subscription
from tests.hostile.scale import scaled
from tests.streams.chat.live_stream import STREAM
from tests.support.whole_service import bearer

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

FOLLOW = """subscription ($stream: uuid!) { streamChat(streamId: $stream, after: 0) {
  seq kind messageId message { content author { displayName } createdAt } } }"""
SEND = "mutation ($input: SendStreamChatInput!) { sendStreamChat(input: $input) { seq } }"
LISTENERS, SECONDS = scaled(2000, 200), scaled(20, 4)
# With the limits of a deployment, one of which is ten messages of a person in ten seconds.
WRITERS, A_SECOND = 100, 50
CONTENT = "hello to everybody who watches this, and to all who read it later"


@pytest.fixture
async def database(demo_database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(demo_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def writers(database: "asyncpg.Connection[Any]") -> Sequence[Mapping[str, str]]:
    """The headers of people who do nothing but write."""
    ids = [uuid4() for _ in range(WRITERS)]
    await database.executemany("INSERT INTO nchat_users (id, username) VALUES ($1, $2)", [(one, str(one)) for one in ids])
    return [bearer(one) for one in ids]


async def test_a_crowded_chat(attacked: AttackedService, database: "asyncpg.Connection[Any]", writers: Sequence[Mapping[str, str]]) -> None:
    stream_id = await database.fetchval(STREAM, GENERAL, USER_IDS["alice"], "public", "live", True, 0)
    follow, messages = subscription("1", FOLLOW, {"stream": str(stream_id)}), A_SECOND * SECONDS
    followers = [[introduction(headers), follow] for headers in ({}, attacked.bearer("bob"), attacked.bearer("mallory"))]
    async with attacked.good_neighbour(), subscribed(attacked, LISTENERS, followers) as swarm:
        took = await write(attacked, stream_id, writers, messages)
        await swarm.has_received(LISTENERS * messages)
    assert (swarm.lost, swarm.doubled, swarm.closed) == (0, 0, 0)
    print(f"{messages} messages in {took:.1f} s to {LISTENERS}: {swarm.received:,} deliveries")  # noqa: T201 - for `pytest -s`


async def write(attacked: AttackedService, stream_id: UUID, writers: Sequence[Mapping[str, str]], messages: int) -> float:
    """Each in its turn, whatever became of those before; the seconds until all are answered."""
    began = time.monotonic()
    async with httpx2.AsyncClient(base_url=attacked.url, timeout=30) as http, asyncio.TaskGroup() as group:
        for number in range(messages):
            group.create_task(_send(http, stream_id, writers[number % WRITERS], f"{number} {CONTENT}"))
            await asyncio.sleep(max(0.0, began + (number + 1) / A_SECOND - time.monotonic()))
    return time.monotonic() - began


async def _send(http: httpx2.AsyncClient, stream_id: UUID, headers: Mapping[str, str], content: str) -> None:
    given = {"streamId": str(stream_id), "content": content, "clientMessageId": str(uuid4())}
    answer = (await http.post("/v1/graphql", json={"query": SEND, "variables": {"input": given}}, headers=dict(headers))).json()
    assert "errors" not in answer, answer
