"""What live queries cost: many users who follow the same document, each with a session of their own.

`python -m bench.live_queries` prints statements a second and the CPU of this process and of PostgreSQL, as parts of a core: once with
nothing changed, when all are looked at every second, and once while a table of theirs changes ten times a second.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop

from app.database.pool import PoolDatabase, open_pool
from app.database.reflection import reflect
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from app.hints import open_hub
from bench.__main__ import load_data
from bench.servers import METADATA
from devstack.postgres import EmbeddedPostgres
from domain.ports import Hint, Publisher
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import resolve
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.live.cohorts import LiveQueries

REQUESTS = 16
QUERY = """subscription ($id: uuid!) { nchat_calls_by_pk(id: $id) {
    id room_name type status created_at call_participants { user_id status joined_at user { display_name } } } }"""
USERS = "SELECT id::text FROM nchat_users ORDER BY id LIMIT $1"
CALL = "SELECT id::text FROM nchat_calls WHERE channel_id IS NOT NULL ORDER BY id LIMIT 1"
CHANGE = "UPDATE nchat_calls SET status = 's' || $2::text WHERE id = $1::text::uuid"
STATEMENTS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


@dataclass(slots=True)
class Crowd:
    """The users, what they were sent, and what all of it costs."""

    connection: asyncpg.Connection
    postmaster: int
    sent: int = 0

    async def has_sent(self, answers: int) -> None:
        """Returns when each has its first answer: a thousand who come at once would wait for each other."""
        async with asyncio.timeout(60):
            while self.sent < answers:  # noqa: ASYNC110 - a program, not the service
                await asyncio.sleep(0.001)

    async def measure(self, what: str, seconds: float) -> None:
        before = await self._spent()
        await asyncio.sleep(seconds)
        after = await self._spent()
        statements, own, postgres, sent = [(new - old) / seconds for old, new in zip(before, after, strict=True)]
        print(
            f"{what}: {statements:.0f} statements/s, {own:.2f} cores here, {postgres:.2f} cores PostgreSQL, {sent:.0f} answers/s",
            flush=True,
        )

    async def _spent(self) -> tuple[float, ...]:
        await self.connection.execute("SELECT pg_stat_clear_snapshot()")
        statements = await self.connection.fetchval(STATEMENTS)
        return statements, time.process_time(), _seconds_of_children(self.postmaster), self.sent


def _seconds_of_children(parent: int) -> float:
    """CPU of the processes whose parent it is."""
    ticks = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def served(url: str) -> AsyncIterator[tuple[Engine, LiveQueries, Publisher]]:
    """The engine of the benchmark's metadata, with the shares and limits of the service."""
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(open_hub())
        pool = await stack.enter_async_context(open_pool(url, max_size=pool_size(REQUESTS)))
        reflected = await reflect(url)
        resolved = resolve(load_metadata(METADATA), reflected.metadata, reflected.functions, strict=False)
        shared = SharedPool(PoolDatabase(pool, hub), REQUESTS, StatementLimits(), time.monotonic)
        engine = Engine.build(resolved.catalog, resolved.roles, shared)
        stack.push_async_callback(engine.stop)
        yield engine, LiveQueries(shared, hub.follow), hub


async def follow(crowd: Crowd, engine: Engine, live_queries: LiveQueries, user: str, call: str) -> None:
    request = Request(QUERY, {"id": call}, principal=f"user {user}")
    session = Session("user", {"x-hasura-role": "user", "x-hasura-user-id": user})
    live = await engine.live_query(request, session)
    if live is None:
        raise TypeError("not a live query")
    async with aclosing(live_queries.follow(live)) as offers:
        async for offer in offers:
            await offer.take()
            crowd.sent += 1


async def run(postgres: EmbeddedPostgres, users: int, seconds: float) -> None:
    await load_data(postgres.url)
    connection = await asyncpg.connect(postgres.url)
    crowd = Crowd(connection, postgres.pid)
    call, people = await connection.fetchval(CALL), [row[0] for row in await connection.fetch(USERS, users)]
    async with served(postgres.url) as (engine, live_queries, publisher):
        following: list[asyncio.Task[None]] = []
        for user in people:
            following.append(asyncio.create_task(follow(crowd, engine, live_queries, user, call)))
            await crowd.has_sent(len(following))
        await crowd.measure(f"{users} users, nothing changes", seconds)
        changing = asyncio.create_task(change(postgres.url, publisher, call))
        await crowd.measure(f"{users} users, ten changes a second", seconds)
        for task in (changing, *following):
            task.cancel()
        await asyncio.gather(changing, *following, return_exceptions=True)
    await connection.close()


async def change(url: str, publisher: Publisher, call: str) -> None:
    writer = await asyncpg.connect(url)
    for number in range(10**6):
        await writer.execute(CHANGE, call, str(number))
        await publisher.publish([Hint("table:nchat_calls")])
        await asyncio.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.live_queries", description=__doc__)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=10, help="length of each measurement")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nchat-bench-") as root:
        postgres = EmbeddedPostgres(Path(root))
        postgres.start()
        try:
            uvloop.run(run(postgres, options.users, options.seconds))
        finally:
            postgres.stop()


if __name__ == "__main__":
    main()
