"""A server for the test session and databases cut from templates, cheap enough for one per test."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from devstack.postgres import EmbeddedPostgres


class Databases:
    """Creates and drops databases of one embedded server. Names are unique within the session."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)

    def create(self, template: str = "template0") -> str:
        """A new database cloned from `template`; returns its name. Nobody may be connected to the template."""
        name = f"test_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def drop(self, name: str) -> None:
        """Drops it, connections and all: a test that leaks one must not fail its neighbours."""
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        return self.server.database_url(name)

    @contextmanager
    def temporary(self, template: str = "template0") -> Iterator[str]:
        """The address of a database that lives as long as the block."""
        name = self.create(template)
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def _run(self, statement: str) -> None:
        self.server.tool("psql", "-d", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statement)
