"""A page of rows: nothing is worked out of rows that don't stand on it, and none of their errors is told."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.following import following
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

# The share of a loaf without guests can't be worked out.
SQL = """
CREATE TABLE shop (id int PRIMARY KEY);
CREATE TABLE loaf (id int PRIMARY KEY, guests int NOT NULL, kind int NOT NULL, shop_id int NOT NULL REFERENCES shop);
CREATE FUNCTION share(l loaf) RETURNS int LANGUAGE sql STABLE AS 'SELECT 10 / l.guests';
CREATE FUNCTION like_it(l loaf) RETURNS SETOF loaf LANGUAGE sql STABLE AS 'SELECT * FROM loaf WHERE 10 / l.guests > 0 AND id = l.id';
INSERT INTO shop VALUES (1);
INSERT INTO loaf VALUES (1, 0, 1, 1), (2, 1, 1, 1), (3, 2, 2, 1), (4, 0, 2, 1);
"""
USER = Session("user", {"x-hasura-role": "user"})


def metadata(path: Path) -> Path:
    def table(name: str, **more: Any) -> dict[str, Any]:
        permission = {"columns": "*", "filter": {}, "allow_aggregations": True}
        if name == "loaf":
            permission |= {"limit": 2, "computed_fields": ["share"], "filter": {"guests": {"_gte": 0}}}
        return {"table": name, "select_permissions": [{"role": "user", "permission": permission}], **more}

    loaves = {"name": "loaves", "using": {"foreign_key_constraint_on": {"table": "loaf", "column": "shop_id"}}}
    fields = [{"name": name, "definition": {"function": name}} for name in ("share", "like_it")]
    itself = {"name": "itself", "using": {"manual_configuration": {"remote_table": "loaf", "column_mapping": {"id": "id"}}}}
    tables = [table("shop", array_relationships=[loaves]), table("loaf", object_relationships=[itself], computed_fields=fields)]
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables}]}))
    return path


@pytest.fixture(scope="module")
async def loaves(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path_factory.mktemp("pages") / "metadata.json")) as opened:
            yield opened


SECOND_AND_THIRD = [{"id": 2, "share": 10}, {"id": 3, "share": 5}]
PAGE = "order_by: {id: asc}, offset: 1, limit: 2"


@pytest.mark.parametrize(
    ("query", "data"),
    [
        (f"{{ loaf({PAGE}) {{ id share }} }}", {"loaf": SECOND_AND_THIRD}),
        ("{ loaf(order_by: {guests: desc}, limit: 2) { id share } }", {"loaf": SECOND_AND_THIRD[::-1]}),
        ("{ loaf(distinct_on: kind, order_by: [{kind: asc}, {guests: desc}]) { id share } }", {"loaf": SECOND_AND_THIRD}),
        (f"{{ loaf({PAGE}) {{ id like_it {{ id }} }} }}", {"loaf": [{"id": n, "like_it": [{"id": n}]} for n in (2, 3)]}),
        (f"{{ loaf({PAGE}) {{ itself {{ id share }} }} }}", {"loaf": [{"itself": row} for row in SECOND_AND_THIRD]}),
        (
            "{ loaf(distinct_on: kind, order_by: [{kind: asc}, {guests: desc}]) { itself { id share } } }",
            {"loaf": [{"itself": row} for row in SECOND_AND_THIRD]},
        ),
        (f"{{ shop {{ loaves({PAGE}) {{ id share }} }} }}", {"shop": [{"loaves": SECOND_AND_THIRD}]}),
        (f"{{ loaf_aggregate({PAGE}) {{ nodes {{ id share }} }} }}", {"loaf_aggregate": {"nodes": SECOND_AND_THIRD}}),
        (
            f"{{ loaf_aggregate({PAGE}) {{ aggregate {{ count sum {{ share guests }} }} }} }}",
            {"loaf_aggregate": {"aggregate": {"count": 2, "sum": {"share": 15, "guests": 3}}}},
        ),
        (
            f"{{ shop {{ loaves_aggregate({PAGE}) {{ aggregate {{ max {{ share }} }} nodes {{ share }} }} }} }}",
            {"shop": [{"loaves_aggregate": {"aggregate": {"max": {"share": 10}}, "nodes": [{"share": 10}, {"share": 5}]}}]},
        ),
    ],
)
async def test_of_rows_outside_a_page_nothing_is_worked_out(loaves: Library, query: str, data: dict[str, Any]) -> None:
    assert await loaves.ask(query) == {"data": data}
    whole = f"{{ loaf(offset: 0, order_by: {{id: asc}}) {{ share {'like_it { id }' if 'like_it' in query else ''} }} }}"
    assert code_in(await loaves.ask(whole), whole) == "data-exception"


async def test_nor_of_rows_beyond_what_the_permission_allows(loaves: Library) -> None:
    query = "{ loaf(order_by: {guests: desc}) { id share } }"
    assert await loaves.ask(query, session=USER) == {"data": {"loaf": SECOND_AND_THIRD[::-1]}}
    assert code_in(await loaves.ask(query), query) == "data-exception"


async def test_nor_of_rows_that_a_stream_has_not_come_to(loaves: Library) -> None:
    query = "subscription { loaf_stream(batch_size: 2, cursor: {initial_value: {id: 1}}) { id share } }"
    async with following(loaves, query) as answer:
        assert await answer() == {"data": {"loaf_stream": SECOND_AND_THIRD}}
