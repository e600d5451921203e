"""A PostgreSQL of one's own with one database, migrated, with the demo data."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import migrations
from devstack.demo_data import seed
from devstack.postgres import EmbeddedPostgres


class Seeded(NamedTuple):
    """A server that runs, and its database's URL."""

    server: EmbeddedPostgres
    url: str


@contextmanager
def seeded_server(folder: Path, database: str) -> Iterator[Seeded]:
    """In this folder, which stays; the server stops at the end."""
    server = EmbeddedPostgres(folder, durable=False)
    server.start()
    try:
        server.create_database(database)
        url = server.database_url(database)
        migrations.upgrade(url)
        asyncio.run(seed(url))
        yield Seeded(server, url)
    finally:
        server.stop()
