"""Tables as other people make them: names that need quotes, keys of several columns, domains, arrays, views, a table like its column."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import code_in

SQL = """
CREATE SCHEMA "My Shop";
CREATE TYPE "My Shop"."Mood of day" AS ENUM ('so so', 'it''s "fine"');
CREATE DOMAIN "My Shop".email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE "My Shop"."Order Items" (
  "Order Id" int, "Line" int, "select" text DEFAULT 'x', mood "My Shop"."Mood of day", mail "My Shop".email, nums int[],
  twice int GENERATED ALWAYS AS ("Line" * 2) STORED, raw bytea, PRIMARY KEY ("Order Id", "Line"));
CREATE TABLE "My Shop".part (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES "My Shop"."Order Items");
CREATE FUNCTION "My Shop"."LineOf"(r "My Shop"."Order Items") RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'line ' || r."Line" $$;
CREATE TABLE note (note text);
CREATE FUNCTION shout(n note) RETURNS text LANGUAGE sql STABLE AS $$ SELECT upper(n.note) $$;
CREATE VIEW notes AS SELECT note, count(*) AS n FROM note GROUP BY note;
CREATE TABLE odd (id int PRIMARY KEY, a macaddr, p point, j json, x jsonpath, q tsquery);
CREATE TABLE hub (id int PRIMARY KEY);
CREATE TABLE spoke (id int PRIMARY KEY, hub_id int NOT NULL REFERENCES hub, owner int);
CREATE TABLE preset (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text,
  j jsonb, tags text[], t text, b bool, n numeric, big jsonb);
CREATE TABLE pair (id int PRIMARY KEY, a int, b int);
INSERT INTO "My Shop"."Order Items" ("Order Id", "Line", nums) VALUES (1, 1, '{1,2}'), (1, 2, NULL);
INSERT INTO "My Shop".part (a, b) VALUES (1, 2);
INSERT INTO note VALUES ('hush');
INSERT INTO odd (id) VALUES (1);
INSERT INTO hub VALUES (1), (2);
INSERT INTO spoke VALUES (1, 1, 7), (2, 2, 7);
INSERT INTO pair VALUES (1, 1, 1), (2, 2, 1);
"""
SHOP = {"schema": "My Shop"}
TABLES: list[dict[str, Any]] = [
    {
        "table": {**SHOP, "name": "Order Items"},
        "configuration": {"custom_name": "Item", "column_config": {"Order Id": {"custom_name": "orderId"}}},
        "array_relationships": [
            {"name": "parts", "using": {"foreign_key_constraint_on": {"table": {**SHOP, "name": "part"}, "columns": ["a", "b"]}}}
        ],
        "computed_fields": [{"name": "line", "definition": {"function": {**SHOP, "name": "LineOf"}}}],
    },
    {
        "table": {**SHOP, "name": "part"},
        "configuration": {"custom_name": "Part"},
        "object_relationships": [{"name": "item", "using": {"foreign_key_constraint_on": ["a", "b"]}}],
    },
    {"table": "note", "computed_fields": [{"name": "loud", "definition": {"function": "shout"}}]},
    {"table": "notes"},
    {"table": "odd"},
    {
        "table": "hub",
        "array_relationships": [{"name": "spokes", "using": {"foreign_key_constraint_on": {"table": "spoke", "column": "hub_id"}}}],
    },
    {"table": "spoke"},
    {
        "table": "preset",
        "insert_permissions": [
            {
                "role": "user",
                "permission": {
                    "columns": ["name"],
                    "check": {},
                    "set": {"j": {"a": [1, True]}, "tags": ["x", 'y "z"'], "t": True, "b": False, "n": 1.5, "big": "text"},
                },
            }
        ],
    },
    {
        "table": "pair",
        "object_relationships": [
            {"name": "both", "using": {"manual_configuration": {"remote_table": "hub", "column_mapping": {"a": "id", "b": "id"}}}}
        ],
        "select_permissions": [{"role": "user", "permission": {"columns": ["id"], "filter": {"both": {"spokes": {"owner": {"_eq": 7}}}}}}],
    },
]


@pytest.fixture(scope="module")
async def shop(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    metadata = tmp_path_factory.mktemp("shop") / "metadata.json"
    metadata.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": TABLES}]}))
    with databases.temporary() as url:
        await fill(url)
        async with library(url, Path(metadata)) as opened:
            assert opened.resolved.problems == ()
            yield opened


async def fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(SQL)
    await connection.close()


ANSWERS: list[tuple[str, Any]] = [
    (
        "{ Item(order_by: {Line: asc}) { orderId Line select twice line parts { item { Line } } } }",
        {
            "Item": [
                {"orderId": 1, "Line": 1, "select": "x", "twice": 2, "line": "line 1", "parts": []},
                {"orderId": 1, "Line": 2, "select": "x", "twice": 4, "line": "line 2", "parts": [{"item": {"Line": 2}}]},
            ]
        },
    ),
    ("{ Item_by_pk(orderId: 1, Line: 2) { parts_aggregate { aggregate { count max { id } } } } }", None),
    ("{ Item(where: {nums: {_in: [[1, 2], [3]]}}) { Line } }", {"Item": [{"Line": 1}]}),
    ("{ Item(where: {nums: {_nin: [[3]]}}) { Line } }", {"Item": [{"Line": 1}]}),
    (
        'mutation { insert_Item_one(object: {orderId: 2, Line: 3, mood: "it\'s \\"fine\\"", raw: "\\\\x01"}) { mood raw line twice } }',
        {"insert_Item_one": {"mood": 'it\'s "fine"', "raw": "\\x01", "line": "line 3", "twice": 6}},
    ),
    ("mutation { delete_Item_by_pk(orderId: 2, Line: 3) { line } }", {"delete_Item_by_pk": {"line": "line 3"}}),
    ('mutation { insert_note(objects: {note: "psst"}) { returning { note loud } } }', None),
    ('mutation { update_note(where: {}, _set: {note: "shh"}) { returning { loud } } }', None),
    ("{ notes { note n } }", {"notes": [{"note": "shh", "n": 2}]}),
]


@pytest.mark.anyio
async def test_answers(shop: Library) -> None:
    """In order: what is written is read again."""
    for query, expected in ANSWERS:
        answer = await shop.ask(query)
        assert "errors" not in answer, (query, answer)
        assert expected is None or answer == {"data": expected}, query
    loud = (await shop.ask("{ note { loud } }"))["data"]["note"]
    assert loud == [{"loud": "SHH"}] * 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ odd_aggregate { aggregate { max { a } } } }", "validation-failed"),
        ("{ odd(order_by: {p: asc}) { id } }", "not-supported"),
        ("{ odd(distinct_on: [j]) { id } }", "not-supported"),
        ('mutation { update_odd(where: {}, _set: {x: "$["}) { affected_rows } }', "data-exception"),
        ('mutation { update_odd(where: {}, _set: {q: "a b"}) { affected_rows } }', "data-exception"),
        ('mutation { insert_Item(objects: {orderId: 9, Line: 9, mail: "nobody"}) { affected_rows } }', "permission-error"),
    ],
)
async def test_what_a_type_cannot_do_is_said(query: str, code: str, shop: Library) -> None:
    assert code_in(await shop.ask(query), query) == code
    assert await shop.value('SELECT count(*) FROM "My Shop"."Order Items" WHERE "Order Id" = 9') == 0


@pytest.mark.anyio
async def test_two_columns_on_one_are_two_conditions(shop: Library) -> None:
    assert await shop.ask("{ pair { id } }", session=Session("user")) == {"data": {"pair": [{"id": 1}]}}


@pytest.mark.anyio
async def test_presets_are_values_of_any_kind(shop: Library) -> None:
    done = await shop.ask('mutation { insert_preset(objects: [{name: "a"}]) { affected_rows } }', session=Session("user"))
    assert done == {"data": {"insert_preset": {"affected_rows": 1}}}
    assert json.loads(await shop.value("SELECT to_json(p) FROM preset p")) == {
        "id": 1, "name": "a", "j": {"a": [1, True]}, "tags": ["x", 'y "z"'], "t": "true", "b": False, "n": 1.5, "big": "text",
    }  # fmt: skip
