"""The sample rows in a database, and the engine with the product's metadata over it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import permissions
from app.database.pool import PoolDatabase, open_pool
from app.database.reflection import reflect
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from permissions.rules import RoleRules
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.sql.database import DatabaseTransaction
from schema.model import TableName, TrackedTable
from tests.permissions.who_sees_what.sample_rows import ROWS, id_of, session
from tests.support.databases import Databases
from tests.support.domain_setup import RecordingPublisher
from tests.support.unshared import AskedTwice

METADATA = Path(permissions.__file__).parent / "metadata"
UUIDS = "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND atttypid = 'uuid'::regtype"


async def fill(url: str) -> None:
    """Writes the sample rows."""
    connection = await asyncpg.connect(url)
    for table, rows in ROWS.items():
        uuids = {row[0] for row in await connection.fetch(UUIDS, table)}
        for row in rows:
            values = {name: _value(value, name in uuids) for name, value in row.items()}
            await connection.execute(insertion(table, list(values)), json.dumps(values))
    await connection.close()


def _value(value: object, is_uuid: bool) -> object:
    return str(id_of(str(value))) if is_uuid and value is not None else value


def insertion(table: str, columns: list[str]) -> str:
    """A statement that takes one row as json; columns that it does not name get their default."""
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_record(NULL::{table}, $1::jsonb)"


@dataclass(slots=True)
class Switch:
    """A database that can be exchanged, because building an engine takes longer than cloning a database."""

    current: PoolDatabase

    async def fetch_json(self, sql: str, arguments: Sequence[str | None]) -> bytes:
        return await self.current.fetch_json(sql, arguments)

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        return await self.current.fetch_rows(sql, arguments)

    def transaction(self) -> AbstractAsyncContextManager[DatabaseTransaction]:
        return self.current.transaction()


@dataclass(frozen=True, slots=True)
class Setup:
    """The engine over one database."""

    engine: Engine
    resolved: Resolved
    url: str
    switch: Switch

    @property
    def granted(self) -> Mapping[str, RoleRules]:
        """The rules of every role but admin, which needs none."""
        return {role: rules for role, rules in self.resolved.roles.items() if role != "admin"}

    def tracked(self, table: str) -> TrackedTable:
        """A tracked table by its bare name."""
        return self.resolved.catalog[TableName("public", table)]

    async def ask(self, who: str, query: str, **variables: Any) -> dict[str, Any]:
        """The response to one of the sample's people."""
        answer = await self.engine.execute(Request(query, variables), session(who))
        response: dict[str, Any] = json.loads(answer.body)
        return response

    async def data(self, who: str, query: str, **variables: Any) -> dict[str, Any]:
        response = await self.ask(who, query, **variables)
        assert "errors" not in response, f"{who} asked {query}\nthe answer: {response}"
        found: dict[str, Any] = response["data"]
        return found


@asynccontextmanager
async def open_database(url: str) -> AsyncIterator[PoolDatabase]:
    async with open_pool(url, max_size=2) as pool:
        yield PoolDatabase(pool, RecordingPublisher())


@pytest.fixture(scope="session")
def sample_template(databases: Databases, migrated_template: str) -> str:
    """The name of a database with the sample rows, to be cloned."""
    name = databases.create(migrated_template)
    asyncio.run(fill(databases.url(name)))
    return name


@pytest.fixture(scope="session")
def sample_url(databases: Databases, sample_template: str) -> Iterator[str]:
    with databases.temporary(sample_template) as url:
        yield url


@pytest.fixture(scope="session")
async def setup(sample_url: str) -> AsyncIterator[Setup]:
    """For tests that only read: one database for all."""
    reflected = await reflect(sample_url)
    resolved = resolve(load_metadata(METADATA), reflected.metadata, reflected.functions, strict=True)
    async with open_database(sample_url) as database:
        switch = Switch(database)
        yield Setup(Engine.build(resolved.catalog, resolved.roles, AskedTwice(switch)), resolved, sample_url, switch)


@pytest.fixture
async def own_setup(setup: Setup, databases: Databases, sample_template: str) -> AsyncIterator[Setup]:
    """For tests that write: a database of one's own."""
    shared = setup.switch.current
    with databases.temporary(sample_template) as url:
        async with open_database(url) as setup.switch.current:
            yield replace(setup, url=url)
    setup.switch.current = shared
