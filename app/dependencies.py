"""What `/readyz` looks at: each thing that this process needs from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import redis.asyncio

import migrations
from app.database import PoolDatabase
from app.health import Check
from app.settings import Settings
from domain.ports import Rooms

# A room that never exists: the question costs LiveKit a look into an empty list.
_NO_ROOM = "readyz"
_REVISION = "SELECT to_json(version_num) FROM alembic_version"


class NotMigrated(Exception):
    """The database is not at the revision that this release brings: run `nchat-rtc migrate`."""


class DatabaseIsNewer(NotMigrated):
    """The database is at a revision of a later release."""


async def check_migrated(database: PoolDatabase) -> None:
    """Raises NotMigrated, or DatabaseError when there is no trace of a migration at all."""
    found = str(orjson.loads(await database.fetch_json(_REVISION, [])))
    if found != migrations.head():
        raise NotMigrated if found in migrations.revisions() else DatabaseIsNewer


def product_checks(settings: Settings, database: PoolDatabase, rooms: Rooms) -> list[Check]:
    """The tables must be ours to answer anything; without LiveKit people can still read and be refused kindly."""

    async def migrated() -> None:
        await check_migrated(database)

    async def livekit() -> None:
        await rooms.list_rooms([_NO_ROOM])

    checks = [Check("migrations", migrated)]
    return [*checks, Check("livekit", livekit, essential=False)] if settings.livekit_enabled else checks


@asynccontextmanager
async def open_redis_check(settings: Settings) -> AsyncIterator[list[Check]]:
    """One check when there is a Redis, with a client of its own. Without it hints are late and limits looser, and nothing is wrong."""
    if settings.redis_url is None:
        yield []
        return
    client = redis.asyncio.Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=1, socket_connect_timeout=1)

    async def ping() -> None:
        await client.execute_command("PING")  # type: ignore[no-untyped-call]

    try:
        yield [Check("redis", ping, essential=False)]
    finally:
        await client.aclose()
