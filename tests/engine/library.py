"""The library of the conformance cases: its tables, its metadata, and engines over them."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import yaml

from app.database.pool import PoolDatabase, open_pool
from app.database.reflection import reflect
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.support.unshared import AskedTwice

CASES = Path(__file__).parents[1] / "conformance" / "hasura_cases.yaml"


@cache
def suite(file: Path = CASES) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text())
    return loaded


class Silent:
    """A publisher that nobody listens to."""

    async def publish(self, _hints: object) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Library:
    """An engine over a database."""

    engine: Engine
    database: PoolDatabase
    resolved: Resolved
    # For what a test itself asks of the database.
    pool: Any

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, session: Session | None = None, name: str | None = None
    ) -> Any:
        """The response as Python values."""
        return json.loads((await self.engine.execute(Request(query, variables or {}, name), session or Session("admin"))).body)

    async def value(self, sql: str) -> Any:
        return await self.pool.fetchval(sql)


@asynccontextmanager
async def library(url: str, metadata: Path, *, numbers_as_text: bool = False) -> AsyncIterator[Library]:
    """An engine over the database at `url` as it is now."""
    read = load_metadata(metadata)
    reflected = await reflect(url, read.enum_tables)
    resolved = resolve(read, reflected.metadata, reflected.functions, strict=False, numbers_as_text=numbers_as_text)
    async with open_pool(url, max_size=4) as connections, asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
        database = PoolDatabase(connections, Silent())
        yield Library(Engine.build(resolved.catalog, resolved.roles, AskedTwice(database)), database, resolved, pool)


def session_of(headers: Mapping[str, Any]) -> Session:
    """The session that the admin secret and these headers make."""
    lowered = {name.lower(): str(value) for name, value in headers.items() if name.lower().startswith("x-hasura-")}
    role = lowered.get("x-hasura-role", "admin")
    backend_only = lowered.get("x-hasura-use-backend-only-permissions") == "true"
    return Session(role, {**lowered, "x-hasura-role": role}, trusted=True, backend_only=backend_only)
