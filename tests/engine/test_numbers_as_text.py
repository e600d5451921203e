"""Numbers that JSON's readers may not hold exactly are answered as text, where the service is set so.

Hasura: `HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES`, `queries/graphql_query/basic/select_query_test_types_postgres.yaml`.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

SQL = """
CREATE DOMAIN price AS numeric(8, 2);
CREATE TABLE shop (id int PRIMARY KEY, owner text NOT NULL);
CREATE TABLE item (
  id bigint PRIMARY KEY, shop_id int NOT NULL REFERENCES shop, small smallint, whole int, short real, long double precision,
  exact numeric(20, 4), priced price, paid money, counts bigint[], doc jsonb
);
CREATE FUNCTION doubled(i item) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT i.exact * 2 $$;
INSERT INTO shop VALUES (1, 'mine'), (2, 'yours');
INSERT INTO item VALUES
  (9223372036854775807, 1, 1, 2, 0.5, 16.0001220703125, 1.5000, 2.50, 3.75, '{9007199254740993}', '{"n": 1.50}'),
  (2, 2, 1, 2, 0.5, 0.25, 7, 7, 7, NULL, NULL);
"""
MINE = Session("user", {"x-hasura-owner": "mine"})


def metadata(path: Path) -> Path:
    mine = {"shop": {"owner": "X-Hasura-Owner"}}
    may = {"columns": "*", "computed_fields": ["doubled"], "filter": mine, "allow_aggregations": True}
    item = {
        "table": "item",
        "object_relationships": [{"name": "shop", "using": {"foreign_key_constraint_on": "shop_id"}}],
        "computed_fields": [{"name": "doubled", "definition": {"function": "doubled"}}],
        "select_permissions": [{"role": "user", "permission": may}],
        "update_permissions": [{"role": "user", "permission": {"columns": ["exact"], "filter": mine}}],
    }
    items = {"name": "items", "using": {"foreign_key_constraint_on": {"table": "item", "column": "shop_id"}}}
    shop = {"table": "shop", "array_relationships": [items]}
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [item, shop]}]}))
    return path


@pytest.fixture
async def items(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path / "metadata.json"), numbers_as_text=True) as opened:
            assert opened.resolved.problems == ()
            yield opened


async def told(items: Library, query: str, session: Session = MINE) -> Any:
    answer = await items.ask(query, session=session)
    assert "errors" not in answer, answer
    return answer["data"]


async def test_columns(items: Library) -> None:
    data = await told(items, "{ item { id small whole short long exact priced paid counts doc doubled } }")
    assert data["item"] == [
        {
            "id": "9223372036854775807",
            "small": 1,
            "whole": 2,
            "short": 0.5,
            "long": "16.0001220703125",
            "exact": "1.5000",
            "priced": "2.50",
            "paid": "$3.75",
            "counts": [9007199254740993],
            "doc": {"n": 1.5},
            "doubled": "3.0000",
        }
    ]


async def test_aggregates_by_the_type_of_their_column(items: Library) -> None:
    """Also an average, which is no whole number any more, and the sum of an integer, which is a bigint."""
    query = """{ item_aggregate(limit: 5) { aggregate { count sum { id whole exact } max { long paid short } min { doubled }
      avg { exact id whole } stddev_pop { long whole } var_pop { exact } } } }"""
    aggregate = (await told(items, query))["item_aggregate"]["aggregate"]
    assert aggregate == {
        "count": 1,
        "sum": {"id": "9223372036854775807", "whole": 2, "exact": "1.5000"},
        "max": {"long": "16.0001220703125", "paid": "$3.75", "short": 0.5},
        "min": {"doubled": "3.0000"},
        "avg": {"exact": "1.50000000000000000000", "id": "9223372036854775807", "whole": 2},
        "stddev_pop": {"long": "0", "whole": 0},
        "var_pop": {"exact": "0"},
    }


async def test_below_rows_and_among_written_ones(items: Library) -> None:
    admin = Session("admin", {"x-hasura-role": "admin"})
    assert (await told(items, "{ shop(where: {id: {_eq: 2}}) { items { exact } } }", admin))["shop"] == [{"items": [{"exact": "7.0000"}]}]
    written = await told(items, 'mutation { update_item(where: {}, _set: {exact: "0.1"}) { affected_rows returning { id exact } } }')
    assert written["update_item"] == {"affected_rows": 1, "returning": [{"id": "9223372036854775807", "exact": "0.1000"}]}


async def test_others_stay_hidden(items: Library) -> None:
    """What is asked by a number, or by its text, is asked of visible rows alone; and nothing else is written."""
    assert await told(items, '{ item(where: {exact: {_eq: "7"}}) { id } item_by_pk(id: "2") { id } }') == {"item": [], "item_by_pk": None}
    refused = "mutation { update_item(where: {}, _set: {long: 1}) { affected_rows } }"
    answer = await items.ask(refused, session=MINE)
    assert error_in(answer, refused)["message"] == "field 'long' not found in type: 'item_set_input'"
    assert await items.value("SELECT sum(exact) FROM item") == 8.5
