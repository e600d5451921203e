"""A server for the test session and databases cut from templates, cheap enough for one per test."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import asyncpg

from devstack.postgres import EmbeddedPostgres


class Databases:
    """Creates and drops databases of one embedded server. Names are unique within the session."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        # One connection for the session, on a loop and a thread of its own: a test's loop may be running when it asks for a database.
        self._thread, self._runner = ThreadPoolExecutor(1), asyncio.Runner()
        self._connection: asyncpg.Connection = self._do(asyncpg.connect(server.url))

    def close(self) -> None:
        self._do(self._connection.close())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

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
        self._do(self._connection.execute(statement))

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._thread.submit(self._runner.run, work).result()
