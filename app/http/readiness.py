"""What `/readyz` looks at: each thing that this process needs from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import redis.asyncio

from app.database.migration_state import check_migrated
from app.database.pool import PoolDatabase
from app.http.health import Check
from domain.ports import Rooms
from domain.recording_ports import ObjectStore

# A room that never exists: the question costs LiveKit a look into an empty list.
_NO_ROOM = "readyz"
# A listing finds a wrong key, a wrong bucket, and a store that is away.
_NOTHING = "readyz/"


def product_checks(database: PoolDatabase, rooms: Rooms, store: ObjectStore | None, *, with_livekit: bool) -> list[Check]:
    """The tables must be ours to answer anything; without LiveKit people can still read and be refused kindly, without the store of
    recordings they can call."""

    async def migrated() -> None:
        await check_migrated(database)

    async def livekit() -> None:
        await rooms.list_rooms([_NO_ROOM])

    checks = [Check("migrations", migrated)]
    checks += [Check("livekit", livekit, essential=False)] * with_livekit
    return checks if store is None else [*checks, Check("storage", partial(store.list, _NOTHING, most=1), essential=False)]


@asynccontextmanager
async def open_redis_check(redis_url: str | None) -> AsyncIterator[list[Check]]:
    """One check when there is a Redis, with a client of its own. Without it hints are late and limits looser, and nothing is wrong."""
    if redis_url is None:
        yield []
        return
    client = redis.asyncio.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)

    async def ping() -> None:
        await client.execute_command("PING")  # type: ignore[no-untyped-call]

    try:
        yield [Check("redis", ping, essential=False)]
    finally:
        await client.aclose()
