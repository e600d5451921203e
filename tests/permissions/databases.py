"""Rows that a rule lets through, read from a real database."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from typing import Any, Self, TypeVar

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

from app.database.reflection import reflect
from permissions.compiling.readable import readable
from permissions.reading import json_nodes
from permissions.reading.metadata import read_metadata
from permissions.resolving.resolve import Resolved, resolve
from permissions.session import Session
from schema.model import TableName

T = TypeVar("T")
ROLE = "reader"
DIALECT: sa.Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]


def document(*tables: Mapping[str, Any], **sections: Any) -> dict[str, Any]:
    """A metadata document of one source with these tables."""
    return {"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": list(tables)}], **sections}


def table(name: str, rule: Any = None, **parts: Any) -> dict[str, Any]:
    """A tracked table; with `rule`, the role `reader` may select the rows it lets through."""
    permission = {"role": ROLE, "permission": {"columns": "*", "filter": rule}}
    return {"table": {"schema": "public", "name": name}, **parts, **({} if rule is None else {"select_permissions": [permission]})}


class Sample:
    """A database with tables of a test's own, one connection to it and what reflection found there."""

    def __init__(self, url: str, tables: str) -> None:
        self.runner = asyncio.Runner()
        self.connection: asyncpg.Connection = self.run(asyncpg.connect(url))
        self.run(self.connection.execute(tables))
        self.reflected = self.run(reflect(url))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.connection.close())
        self.runner.close()

    def run(self, awaitable: Awaitable[T]) -> T:
        return self.runner.run(_coroutine(awaitable))

    def resolved(self, metadata: Mapping[str, Any], *, strict: bool = True) -> Resolved:
        """The metadata as the service loads a single document."""
        document = json_nodes.parse_json(json.dumps(metadata), "metadata.json")
        return resolve(read_metadata(document), self.reflected.metadata, self.reflected.functions, strict=strict)

    def visible(self, metadata: Mapping[str, Any], name: str, variables: Mapping[str, str]) -> list[int]:
        """The ids of the table's rows that a reader with these session variables may select, in order."""
        served, table_name = self.resolved(metadata), TableName("public", name)
        rows = served.catalog[table_name].table
        condition = readable(served.catalog, served.rules(ROLE), Session(ROLE, variables), table_name)
        return self.ids(sa.select(rows.c.id).where(condition).order_by(rows.c.id))

    def ids(self, statement: sa.Select[Any]) -> list[int]:
        compiled = statement.compile(dialect=DIALECT)
        parameters = [compiled.params[key] for key in compiled.positiontup or ()]
        return [row["id"] for row in self.run(self.connection.fetch(str(compiled), *parameters))]


async def _coroutine(awaitable: Awaitable[T]) -> T:
    return await awaitable
