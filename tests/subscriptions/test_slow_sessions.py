"""A session that becomes slow among others of its cohort, on a real PostgreSQL with real limits: nobody waits for it but itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import asyncpg
import orjson
import pytest

from app.database.pool import PoolDatabase, open_pool
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from app.hints import open_hub
from domain.ports import Hint
from permissions.errors import GraphQLRefusal
from resolvers.live.cohorts import LiveQueries
from resolvers.live.live_query import LiveQuery
from resolvers.sql.database import Asker
from resolvers.sql.live_plan import LivePlan
from schema.model import TableName

pytestmark = pytest.mark.anyio

REQUESTS = 5
SECONDS = 3.0
# As long as one session's answer takes: far more than a statement for all others, and less than the limit.
SLOW = 1.0
# What each session is told, after as many seconds as the table says.
TABLE = "CREATE TABLE thing (own text PRIMARY KEY, word text NOT NULL, seconds float NOT NULL DEFAULT 0)"
SQL = """SELECT number, json_build_object('data', word, 'slept', pg_sleep(seconds)::text)
    FROM json_array_elements($1::text::json) WITH ORDINALITY AS each(own, number) JOIN thing ON thing.own = each.own ->> 0"""


class World:
    """Twelve people who follow one document."""

    def __init__(self, database: "asyncpg.Connection[Any]", queries: LiveQueries, hub: Any) -> None:
        self.database, self._hub = database, hub
        plan = LivePlan(SQL, (None,), (), frozenset({TableName("public", "thing")}))
        self.people = [queries.follow(LiveQuery(plan, (None,), (str(n),), Asker(f"user {n}"))) for n in range(12)]

    async def put(self, word: str, slow: dict[str, float]) -> None:
        await self.database.execute("UPDATE thing SET word = $1, seconds = 0", word)
        for own, seconds in slow.items():
            await self.database.execute("UPDATE thing SET seconds = $2 WHERE own = $1", own, seconds)
        await self._hub.publish([Hint("table:thing")])

    async def told(self, number: int) -> str:
        return str(orjson.loads(await (await anext(self.people[number])).take())["data"])


@pytest.fixture
async def world(empty_database_url: str) -> AsyncIterator[World]:
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(TABLE)
    await connection.execute("INSERT INTO thing SELECT n::text, 'first' FROM generate_series(0, 11) n")
    async with open_hub() as hub, open_pool(empty_database_url, max_size=pool_size(REQUESTS)) as pool:
        shared = SharedPool(PoolDatabase(pool, hub), REQUESTS, StatementLimits(seconds=SECONDS), time.monotonic)
        ready = World(connection, LiveQueries(shared, hub.follow), hub)
        assert [await ready.told(n) for n in range(12)] == ["first"] * 12
        yield ready
        for one in ready.people:
            async with aclosing(one):
                pass
    await connection.close()


async def test_who_takes_too_long_ends_and_all_others_are_told(world: World) -> None:
    await world.put("second", {"7": 60.0})
    async with asyncio.timeout(10):
        told = await asyncio.gather(*(world.told(n) for n in range(12)), return_exceptions=True)
    ended = told.pop(7)
    assert isinstance(ended, GraphQLRefusal)
    assert ended.code == "time-limit-exceeded"
    assert told == ["second"] * 11
    await world.put("third", {})
    async with asyncio.timeout(5):
        assert [await world.told(n) for n in range(12) if n != 7] == ["third"] * 11


@pytest.mark.alone
async def test_nobody_waits_for_who_is_slow(world: World) -> None:
    await world.put("second", {"7": SLOW})
    async with asyncio.timeout(10):
        assert [await world.told(n) for n in range(12)] == ["second"] * 12

    async def until_told(word: str) -> None:
        while await world.told(7) != word:
            pass

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        slow = group.create_task(until_told("fifth"))
        for word in ("third", "fourth", "fifth"):
            await world.put(word, {"7": SLOW})
            assert {await world.told(n) for n in range(12) if n != 7} == {word}
        # By now it is known for it, and rests: all others have their last word while it still waits for its own.
        assert not slow.done()
