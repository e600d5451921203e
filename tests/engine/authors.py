"""Authors and articles under a source's customization."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import asyncpg

from tests.engine.library import Library, library
from tests.support.databases import Databases

SQL = """
CREATE SCHEMA shop;
CREATE TABLE author_local (id serial PRIMARY KEY, full_name text UNIQUE, tags text[]);
CREATE TABLE article_local (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES author_local, word_count int, meta_data jsonb);
CREATE TABLE shop.price_list (list_id int PRIMARY KEY, _hidden_note text);
INSERT INTO author_local (full_name) VALUES ('Author 1'), ('Author 2');
INSERT INTO article_local (author_id, word_count, meta_data) VALUES (1, 10, '{"k": 1}'), (1, 20, NULL), (2, 30, NULL);
INSERT INTO shop.price_list VALUES (1, 'note');
"""
OWN_ROWS = {"author_id": {"_eq": "X-Hasura-User-Id"}}
TABLES: list[dict[str, Any]] = [
    {
        "table": "author_local",
        "array_relationships": [
            {"name": "written_articles", "using": {"foreign_key_constraint_on": {"table": "article_local", "column": "author_id"}}}
        ],
    },
    {
        "table": "article_local",
        "object_relationships": [{"name": "written_by", "using": {"foreign_key_constraint_on": "author_id"}}],
        "select_permissions": [
            {"role": "user", "permission": {"columns": ["id", "word_count"], "filter": OWN_ROWS, "allow_aggregations": True}}
        ],
        "update_permissions": [{"role": "user", "permission": {"columns": ["word_count"], "filter": OWN_ROWS}}],
    },
    {"table": {"schema": "shop", "name": "price_list"}},
]


def metadata(customization: dict[str, Any], configurations: dict[str, Any] | None = None) -> dict[str, Any]:
    """`configurations` are those of tables, by name."""
    given = configurations or {}
    # A copy to the last part: tests change what they are given, and this is for all tests of a process.
    tables = [{**table, "configuration": given.get(str(table["table"]), {})} for table in deepcopy(TABLES)]
    return {"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables, "customization": customization}]}


@asynccontextmanager
async def authors(
    databases: Databases, folder: Path, customization: dict[str, Any], configurations: dict[str, Any] | None = None
) -> AsyncIterator[Library]:
    """An engine over them."""
    async with opened_with(databases, folder, metadata(customization, configurations)) as opened:
        yield opened


@asynccontextmanager
async def opened_with(databases: Databases, folder: Path, document: dict[str, Any], more: str = "") -> AsyncIterator[Library]:
    """The same with metadata, and more SQL, of the test's own."""
    file = folder / "metadata.json"
    file.write_text(json.dumps(document))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL + more)
        await connection.close()
        async with library(url, file) as opened:
            assert opened.resolved.problems == ()
            yield opened
