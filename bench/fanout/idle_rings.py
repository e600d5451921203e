"""`python -m bench.fanout.idle_rings`: what people cost who wait for calls and for whom nothing rings."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import asyncpg
import orjson
import psutil
import uvloop
from pydantic import SecretStr

from app.auth.token_signing import TokenSigner
from bench.fanout.candidates import Candidate, service
from bench.fanout.measuring import swarm
from bench.servers import JWT_KEY
from devstack import valkey
from devstack.demo_data import seed
from devstack.migrated_database import migrated_database

LISTENERS, SECONDS = 2000, 20.0
# Of a core, beyond what the service costs alone, pings included; and statements a second beyond those.
SHARE_GOAL, STATEMENTS_GOAL = 0.1, 5.0
# PostgreSQL counts what a connection did when it has been idle for ten seconds.
COUNTED_AFTER = 20.0
PEOPLE = """INSERT INTO nchat_users (id, username, display_name)
    SELECT gen_random_uuid(), 'u' || n, 'U' FROM generate_series(1, $1) AS n RETURNING id"""
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
RINGS = "subscription { incomingCalls { kind openCallIds callId type caller { id displayName } ringExpiresAt } }"


class Cost(NamedTuple):
    """In a second: the process's CPU seconds, and statements of all connections to the database."""

    share: float
    statements: float


async def cost(process: psutil.Process, database: "asyncpg.Connection") -> Cost:
    commits, before = await database.fetchval(COMMITS), sum(process.cpu_times()[:2])
    await asyncio.sleep(SECONDS)
    spent = sum(process.cpu_times()[:2]) - before
    return Cost(spent / SECONDS, (await database.fetchval(COMMITS) - commits) / SECONDS)


def waiting(alone: Candidate, people: Sequence[UUID]) -> Candidate:
    """The same service, each of whose subscribers is another person."""
    signer = TokenSigner.of(SecretStr(f'{{"type": "HS256", "key": "{JWT_KEY}"}}'))
    return replace(alone, order={**alone.order, "messages": [_subscribes(signer.sign(id, "user", ttl=3600)) for id in people]})


def _subscribes(token: str) -> list[str]:
    init = {"type": "connection_init", "payload": {"headers": {"authorization": f"Bearer {token}"}}}
    return [orjson.dumps(message).decode() for message in (init, {"type": "subscribe", "id": "1", "payload": {"query": RINGS}})]


async def measure(database_url: str, redis_url: str) -> bool:
    async with AsyncExitStack() as stack:
        database = await asyncpg.connect(database_url)
        stack.push_async_callback(database.close)
        people = [row["id"] for row in await database.fetch(PEOPLE, LISTENERS)]
        alone = await stack.enter_async_context(service(database_url, redis_url))
        process = psutil.Process(alone.pid)
        quiet = await cost(process, database)
        await stack.enter_async_context(swarm(waiting(alone, people), LISTENERS))
        await asyncio.sleep(COUNTED_AFTER)
        found = await cost(process, database)
    share, statements = found.share - quiet.share, found.statements - quiet.statements
    print(
        f"  {LISTENERS} people who wait for calls: {share:.1%} of a core (goal {SHARE_GOAL:.0%}), "
        f"{statements:.1f} statements a second (goal {STATEMENTS_GOAL:.0f}); the service alone {quiet.share:.1%}, {quiet.statements:.1f}"
    )
    return share <= SHARE_GOAL and statements <= STATEMENTS_GOAL


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="nchat-rings-") as folder, migrated_database() as database_url:
        broker = valkey.start(Path(folder))
        try:
            uvloop.run(seed(database_url))
            return 0 if uvloop.run(measure(database_url, f"redis://{broker.address}")) else 1
        finally:
            broker.stop()


if __name__ == "__main__":
    sys.exit(main())
