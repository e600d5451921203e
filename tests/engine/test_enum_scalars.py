"""PostgreSQL's enums are scalars that tell their values: to whom they belong, of one database each."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

# An enum of a column, of arrays, of a domain; of two schemas under one name; of nothing but a function's argument and result; and one
# that would have the name of GraphQL's own.
SQL = """
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('calm', 'say "glad"', 'wütend');
CREATE TYPE size AS ENUM ('s', 'm');
CREATE TYPE other.size AS ENUM ('m', 'l');
CREATE TYPE colour AS ENUM ('red');
CREATE TYPE shade AS ENUM ('dark');
CREATE TYPE "Int" AS ENUM ('one');
CREATE DOMAIN humour AS mood;
CREATE TABLE shelf (id int PRIMARY KEY, moods mood[], humour humour, size size, other other.size, plain text, amount "Int");
CREATE FUNCTION shade_of(shelf, colour colour) RETURNS shade LANGUAGE sql STABLE AS $$ SELECT 'dark'::shade $$;
INSERT INTO shelf VALUES (1, '{calm}', 'calm', 's', 'l', 'x', NULL);
"""
SHELF: dict[str, Any] = {
    "table": "shelf",
    "computed_fields": [{"name": "shade", "definition": {"function": "shade_of"}}],
    "select_permissions": [
        {"role": "user", "permission": {"columns": "*", "computed_fields": ["shade"], "filter": {}}},
        {"role": "guest", "permission": {"columns": ["id", "size"], "filter": {}}},
    ],
}
MOOD = 'One of "calm", "say \\"glad\\"", "wütend".'
TOLD = {
    "mood": MOOD,
    "size": 'One of "s", "m", "l".',
    "colour": 'One of "red".',
    "shade": 'One of "dark".',
}
SCALARS = "{ __schema { types { name kind description } } }"


@asynccontextmanager
async def shelves(databases: Databases, folder: Path, sql: str = SQL) -> AsyncIterator[Library]:
    source = {"name": "default", "kind": "postgres", "tables": [SHELF]}
    (folder / "metadata.json").write_text(json.dumps({"version": 3, "sources": [source]}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(sql)
        await connection.close()
        async with library(url, folder / "metadata.json") as opened:
            assert opened.resolved.problems == ()
            yield opened


async def scalars(opened: Library, role: str) -> dict[str, str]:
    """What each scalar of a role tells, but those that tell nothing."""
    types = (await opened.ask(SCALARS, session=Session(role)))["data"]["__schema"]["types"]
    specified = ("Int", "Float", "String", "Boolean", "ID")
    return {t["name"]: t["description"] for t in types if t["kind"] == "SCALAR" and t["name"] not in specified and t["description"]}


async def test_each_role_is_told_the_values_of_what_it_sees(databases: Databases, tmp_path: Path) -> None:
    async with shelves(databases, tmp_path) as opened:
        assert await scalars(opened, "admin") == TOLD
        assert await scalars(opened, "user") == TOLD
        assert await scalars(opened, "guest") == {"size": TOLD["size"]}
        assert await scalars(opened, "nobody") == {}
        asked = 'query { __type(name: "mood") { description } }'
        assert (await opened.ask(asked, session=Session("guest")))["data"] == {"__type": None}
        answer = await opened.ask('{ shelf { moods humour size other shade(args: {colour: "red"}) } }', session=Session("user"))
        row = {"moods": ["calm"], "humour": "calm", "size": "s", "other": "l", "shade": "dark"}
        assert answer == {"data": {"shelf": [row]}}


async def test_two_databases_of_one_process_have_values_of_their_own(databases: Databases, tmp_path: Path) -> None:
    """As a service has that reads its metadata again after a value was added."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with (
        shelves(databases, first) as opened,
        shelves(databases, second, SQL.replace("ENUM ('red')", "ENUM ('red', 'blue')")) as newer,
    ):
        assert (await scalars(opened, "user"))["colour"] == 'One of "red".'
        assert (await scalars(newer, "user"))["colour"] == 'One of "red", "blue".'
