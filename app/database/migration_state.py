"""Whether the database is at the revision that this release brings."""

import orjson

import migrations
from app.database.pool import PoolDatabase

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
