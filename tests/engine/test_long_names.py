"""Names as long as PostgreSQL has them (63 characters): wherever a statement refers to such a column, it is the column's own name.

Source: Hasura's `api-tests`, `Regression/LongIdentifiers3796Spec`.
"""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import code_in

COLUMN = "a_column_with_a_name_as_long_as_postgresql_has_them_63_letters_"
TWIN = f"{COLUMN[:-1]}x"
SHELF = "a_table_with_a_name_as_long_as_postgresql_has_them__63_letters_"
SQL = f"""
CREATE TABLE {SHELF} (id int PRIMARY KEY, {COLUMN} int, {TWIN} int);
CREATE TABLE book (id int PRIMARY KEY, shelf_id int REFERENCES {SHELF}, {COLUMN} int);
INSERT INTO {SHELF} VALUES (1, 1, 10), (2, 2, 20);
"""
MINE = {COLUMN: {"_eq": "X-Hasura-User-Id"}}
WRITER = Session("writer", {"x-hasura-user-id": "5"})


def _permissions(**rules: Any) -> dict[str, Any]:
    return {f"{action}_permissions": [{"role": "writer", "permission": {"columns": "*", **rule}}] for action, rule in rules.items()}


TABLES: list[dict[str, Any]] = [
    {
        "table": SHELF,
        "array_relationships": [{"name": "books", "using": {"foreign_key_constraint_on": {"table": "book", "column": "shelf_id"}}}],
        **_permissions(select={"filter": {}}, insert={"check": MINE}, update={"filter": {}, "check": MINE}),
    },
    {
        "table": "book",
        "object_relationships": [{"name": "shelf", "using": {"foreign_key_constraint_on": "shelf_id"}}],
        **_permissions(select={"filter": {}}, insert={"check": {}}),
    },
]


@pytest.fixture
async def shelves(databases: Databases, tmp_path: Path) -> Any:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": TABLES}]}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(SQL)
        finally:
            await connection.close()
        async with library(url, path) as served:
            yield served


@pytest.mark.anyio
async def test_they_are_written_and_returned(shelves: Library) -> None:
    nested = f"""mutation {{ insert_book_one(object: {{id: 1, {COLUMN}: 3, shelf: {{data: {{id: 5, {COLUMN}: 5, {TWIN}: 6}}}}}}) {{
        {COLUMN} shelf {{ {COLUMN} {TWIN} books {{ id }} }} }} }}"""
    answer = await shelves.ask(nested, session=WRITER)
    assert answer == {"data": {"insert_book_one": {COLUMN: 3, "shelf": {COLUMN: 5, TWIN: 6, "books": [{"id": 1}]}}}}
    update = f"mutation {{ update_{SHELF}(where: {{{TWIN}: {{_eq: 6}}}}, _inc: {{{TWIN}: 1}}) {{ returning {{ {COLUMN} {TWIN} }} }} }}"
    answer = await shelves.ask(update, session=WRITER)
    assert answer == {"data": {f"update_{SHELF}": {"returning": [{COLUMN: 5, TWIN: 7}]}}}


@pytest.mark.anyio
async def test_who_may_not_write_them_does_not(shelves: Library) -> None:
    other = Session("writer", {"x-hasura-user-id": "6"})
    insert = f"mutation {{ insert_{SHELF}_one(object: {{id: 5, {COLUMN}: 5}}) {{ {COLUMN} }} }}"
    update = f"mutation {{ update_{SHELF}_by_pk(pk_columns: {{id: 1}}, _set: {{{TWIN}: 1}}) {{ {COLUMN} }} }}"
    for query in (insert, update):
        assert code_in(await shelves.ask(query, session=other), query) == "permission-error"
    assert await shelves.value(f"SELECT array_agg(({COLUMN}, {TWIN})::text) FROM {SHELF}") == ["(1,10)", "(2,20)"]


@pytest.mark.anyio
async def test_they_are_selected_ordered_and_counted(shelves: Library) -> None:
    query = f"""{{ {SHELF}(distinct_on: {COLUMN}, order_by: [{{{COLUMN}: desc}}, {{{TWIN}: asc}}]) {{ {COLUMN} {TWIN} }}
        {SHELF}_aggregate {{ aggregate {{ sum {{ {COLUMN} {TWIN} }} }} }} }}"""
    answer = await shelves.ask(query)
    assert answer["data"][SHELF] == [{COLUMN: 2, TWIN: 20}, {COLUMN: 1, TWIN: 10}]
    assert answer["data"][f"{SHELF}_aggregate"] == {"aggregate": {"sum": {COLUMN: 3, TWIN: 30}}}
