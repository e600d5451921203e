"""Runs alembic over asyncpg, the only driver there is."""

import asyncio
import os
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from migrations.numbering import next_number
from migrations.ownership import created_by_us, nchat_tables
from schema.tables import metadata

# Any number, the same for all: two processes that migrate at once take turns.
MIGRATION_LOCK = 0x6E63_6861_7472_7463


def database_url() -> sa.URL:
    """`-x url=`, the caller's configuration, or NCHAT_DATABASE_URL; always by asyncpg."""
    text = (
        context.get_x_argument(as_dictionary=True).get("url")
        or context.config.attributes.get("url")
        or context.config.get_main_option("sqlalchemy.url")
        or os.environ.get("NCHAT_DATABASE_URL")
    )
    if not text:
        raise SystemExit("Which database? Pass -x url=postgresql://… or set NCHAT_DATABASE_URL.")
    return sa.make_url(text).set(drivername="postgresql+asyncpg")


def number(_context: MigrationContext, _heads: object, scripts: Iterable[MigrationScript]) -> None:
    """A new revision gets the next number in place of alembic's random id; one that was given by `--rev-id` stays."""
    if getattr(context.config.cmd_opts, "rev_id", None) is None:
        for script in scripts:
            script.rev_id = next_number(known.revision for known in context.script.walk_revisions())


def migrate(connection: sa.Connection) -> None:
    """A transaction for each revision: a failure leaves the database at the one before, and a new word of an enum is known to the next."""
    connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
    foreign = nchat_tables - created_by_us(connection)
    connection.commit()

    def is_ours(item: sa.schema.SchemaItem, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
        table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
        return not (table in foreign or (reflected and str(table).startswith("pgqueuer")))

    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=is_ours,
        compare_server_default=True,
        process_revision_directives=number,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def online() -> None:
    engine = create_async_engine(database_url(), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Offline mode is not supported: the first revision looks at which tables exist.")
asyncio.run(online())
