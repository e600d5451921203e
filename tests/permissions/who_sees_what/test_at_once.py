"""What each of the sample's people is told while all others ask the same in the same moment."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from app.database.pool import PoolDatabase, open_pool
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.permissions.who_sees_what.conftest import Setup
from tests.permissions.who_sees_what.sample_rows import PEOPLE, id_of, session
from tests.support.domain_setup import RecordingPublisher

pytestmark = pytest.mark.anyio

REQUESTS = 10
ROUNDS = 20
TABLES = ("nchat_calls", "nchat_call_participants", "nchat_call_recordings", "nchat_streams", "nchat_stream_chat", "nchat_channels")


class Counting(PoolDatabase):
    """Notes how many each statement answered."""

    answered: list[int]

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None], **limit: float) -> Sequence[Sequence[Any]]:
        rows = await super().fetch_rows(sql, arguments, **limit)
        self.answered.append(len(rows))
        return rows


@dataclass(frozen=True, slots=True)
class Served:
    """The engine as it is served: with a pool that all share."""

    engine: Engine
    database: Counting

    async def told(self, who: str, query: str, **variables: str) -> bytes:
        request = Request(query, variables, principal=f"user {who}")
        return (await self.engine.execute(request, session(who))).body


@pytest.fixture
async def served(setup: Setup) -> AsyncIterator[Served]:
    async with open_pool(setup.url, max_size=pool_size(REQUESTS)) as pool:
        database = Counting(pool, RecordingPublisher())
        database.answered = []
        shared = SharedPool(database, REQUESTS, StatementLimits(), time.monotonic)
        yield Served(Engine.build(setup.resolved.catalog, setup.resolved.roles, shared), database)


@pytest.mark.parametrize("table", TABLES)
async def test_everybody_is_told_what_they_are_told_alone(served: Served, table: str) -> None:
    query = f"{{ {table}(order_by: {{id: asc}}) {{ id }} }}"
    alone = {who: await served.told(who, query) for who in PEOPLE}
    assert len(set(alone.values())) > 2, "all see the same"

    for _ in range(ROUNDS):
        answers = await asyncio.gather(*(served.told(who, query) for who in PEOPLE))
        assert dict(zip(PEOPLE, answers, strict=True)) == alone
    assert max(served.database.answered) > 1, "nobody was answered together with another"


async def test_everybody_gets_what_they_asked_for_or_nothing(served: Served) -> None:
    query = "query One($id: uuid!) { nchat_calls_by_pk(id: $id) { id } }"
    calls = [str(id_of(name)) for name in ("direct", "in general", "in secret", "ended")]
    asked = [(who, call) for who in PEOPLE for call in calls]
    alone = [await served.told(who, query, id=call) for who, call in asked]
    found = [json.loads(answer)["data"]["nchat_calls_by_pk"] for answer in alone]
    assert {row and row["id"] for row in found} == {*calls, None}

    for _ in range(ROUNDS):
        assert await asyncio.gather(*(served.told(who, query, id=call) for who, call in asked)) == alone
    assert max(served.database.answered) > 1, "nobody was answered together with another"
