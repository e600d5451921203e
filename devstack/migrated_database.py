"""A database at the newest migration, on a server of its own that is gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import migrations
from devstack.postgres import EmbeddedPostgres


@contextmanager
def migrated_database() -> Iterator[str]:
    """The superuser's address of the database, which lives as long as the block; needs neither settings nor a running server."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            server.create_database("migrated")
            url = server.database_url("migrated")
            migrations.upgrade(url)
            yield url
        finally:
            server.stop()
