"""Enum tables: rows as the values of a GraphQL type, and what can't be one."""

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

SQL = """
CREATE TABLE color (value text PRIMARY KEY, comment text);
INSERT INTO color VALUES ('red', 'like blood'), ('blue', NULL), ('green', 'like grass');
CREATE TABLE size (name text PRIMARY KEY);
INSERT INTO size VALUES ('small'), ('large');
CREATE TABLE shirt (id int PRIMARY KEY, color text NOT NULL REFERENCES color, size text REFERENCES size, other text);
INSERT INTO shirt VALUES (1, 'red', 'small'), (2, 'blue', NULL), (3, 'red', 'large');
CREATE TABLE no_rows (value text PRIMARY KEY);
CREATE TABLE no_key (value text);
CREATE TABLE two_keys (a text, b text, PRIMARY KEY (a, b));
CREATE TABLE numbered (id int PRIMARY KEY, comment int);
CREATE TABLE wide (value text PRIMARY KEY, comment text, more text);
CREATE TABLE misnamed (value text PRIMARY KEY);
INSERT INTO misnamed VALUES ('fine'), ('two words'), ('true');
CREATE TABLE taken_enum (id int PRIMARY KEY);
CREATE TABLE taken (value text PRIMARY KEY);
INSERT INTO taken VALUES ('x');
"""
BAD = {
    "no_rows": "the table must have at least one row",
    "no_key": "the table must have a primary key",
    "two_keys": "the table’s primary key must not span multiple columns (a, b)",
    "numbered": 'the table’s primary key ("id") must have type "text", not type "int4"',
    "wide": "the table must have exactly one primary key and optionally one comment column, not 3 columns (comment, more, value)",
    "misnamed": 'the values "true" and "two words" are not valid GraphQL enum value names',
    "taken": "taken would bring a second GraphQL type taken_enum",
}


def metadata(path: Path) -> Path:
    permission = {"columns": "*", "filter": {"color": {"_neq": "green"}}, "allow_aggregations": True}
    shirt = {
        "table": "shirt",
        "select_permissions": [{"role": "user", "permission": permission}],
        "insert_permissions": [{"role": "user", "permission": {"columns": ["id", "color"], "check": {"color": {"_in": ["red", "blue"]}}}}],
        "update_permissions": [{"role": "user", "permission": {"columns": ["color"], "filter": {"color": {"_eq": "purple"}}}}],
    }
    enums = [{"table": name, "is_enum": True} for name in ("color", "size", *BAD)]
    tables = [shirt, *enums, {"table": "taken_enum"}]
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables[::-1]}]}))
    return path


@pytest.fixture(scope="module")
async def shirts(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path_factory.mktemp("metadata") / "metadata.json")) as opened:
            yield opened


async def asked(shirts: Library, query: str, variables: dict[str, Any] | None = None) -> Any:
    return await shirts.ask(query, variables, session=Session("user", {"x-hasura-role": "user"}))


ANSWERS: list[tuple[str, dict[str, Any] | None, Any]] = [
    ("{ shirt(order_by: {id: asc}) { color size } }", None, [["red", "small"], ["blue", None], ["red", "large"]]),
    ("{ shirt(where: {color: {_eq: blue}}) { id } }", None, [[2]]),
    ("query ($c: color_enum!) { shirt(where: {color: {_eq: $c}}) { id } }", {"c": "blue"}, [[2]]),
    ("query ($c: [color_enum!]) { shirt(where: {color: {_in: $c}}, order_by: {id: asc}) { id } }", {"c": ["blue", "red"]}, [[1], [2], [3]]),
    ("{ shirt(where: {color: {_nin: [blue, green]}}, order_by: {id: asc}) { id } }", None, [[1], [3]]),
    ("{ shirt(where: {size: {_is_null: true}}) { id } }", None, [[2]]),
    ("query ($w: shirt_bool_exp) { shirt(where: $w) { id } }", {"w": {"size": {"_eq": "small"}}}, [[1]]),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("query", "variables", "rows"), ANSWERS, ids=[query for query, _, _ in ANSWERS])
async def test_values_are_a_type_of_their_own(shirts: Library, query: str, variables: dict[str, Any] | None, rows: Any) -> None:
    answer = await asked(shirts, query, variables)
    assert [list(row.values()) for row in answer["data"]["shirt"]] == rows


EQ = "$.selectionSet.shirt.args.where.color._eq"
ONE_OF = "expected one of the values ['blue', 'green', 'red'] for type 'color_enum', but found 'pink'"
REFUSED: list[tuple[str, dict[str, Any] | None, str, str]] = [
    (
        '{ shirt(where: {color: {_eq: "red"}}) { id } }',
        None,
        EQ,
        "expected an enum value for type 'color_enum', but found a string",
    ),
    ("{ shirt(where: {color: {_eq: pink}}) { id } }", None, EQ, ONE_OF),
    ("query ($c: color_enum!) { shirt(where: {color: {_eq: $c}}) { id } }", {"c": "pink"}, EQ, ONE_OF),
    ("{ shirt(where: {color: {_eq: 1}}) { id } }", None, EQ, "expected an enum value for type 'color_enum', but found an integer"),
    ("{ shirt(where: {color: {_eq: null}}) { id } }", None, EQ, "expected an enum value for type 'color_enum', but found null"),
    (
        "{ shirt(where: {color: {_like: red}}) { id } }",
        None,
        "$.selectionSet.shirt.args.where.color._like",
        "field '_like' not found in type: 'color_enum_comparison_exp'",
    ),
    (
        "query ($c: String!) { shirt(where: {color: {_eq: $c}}) { id } }",
        {"c": "red"},
        EQ,
        "variable 'c' is declared as 'String!', but used where 'color_enum' is expected",
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("query", "variables", "path", "message"), REFUSED, ids=[message for *_, message in REFUSED])
async def test_other_values_are_refused(shirts: Library, query: str, variables: dict[str, Any] | None, path: str, message: str) -> None:
    error = error_in(await asked(shirts, query, variables), query)
    assert (error["extensions"]["code"], error["extensions"]["path"], error["message"]) == ("validation-failed", path, message)


@pytest.mark.anyio
async def test_values_are_written(shirts: Library) -> None:
    insert = "mutation ($c: color_enum) { insert_shirt_one(object: {id: 9, color: $c}) { color } }"
    refused = error_in(await asked(shirts, insert, {"c": "green"}), insert)
    assert refused["extensions"]["code"] == "permission-error"
    assert await shirts.value("SELECT count(*) FROM shirt WHERE id = 9") == 0
    assert (await asked(shirts, insert, {"c": "blue"}))["data"] == {"insert_shirt_one": {"color": "blue"}}
    await shirts.pool.execute("DELETE FROM shirt WHERE id = 9")


@pytest.mark.anyio
async def test_introspection_tells_values_and_what_they_mean(shirts: Library) -> None:
    answer = await asked(shirts, '{ __type(name: "color_enum") { kind enumValues { name description } } }')
    told = {value["name"]: value["description"] for value in answer["data"]["__type"]["enumValues"]}
    assert (answer["data"]["__type"]["kind"], told) == ("ENUM", {"blue": None, "green": "like grass", "red": "like blood"})
    answer = await asked(shirts, '{ __type(name: "color_enum_comparison_exp") { inputFields { name } } }')
    assert [field["name"] for field in answer["data"]["__type"]["inputFields"]] == ["_eq", "_in", "_is_null", "_neq", "_nin"]
    answer = await asked(shirts, '{ __type(name: "shirt_max_fields") { fields { name } } }')
    assert [field["name"] for field in answer["data"]["__type"]["fields"]] == ["id", "other"], "as in Hasura an enum has no order"


@pytest.mark.anyio
@pytest.mark.parametrize(("table", "why"), BAD.items())
async def test_what_cannot_be_an_enum_is_told_and_served_as_a_table(shirts: Library, table: str, why: str) -> None:
    sentences = [problem.sentence for problem in shirts.resolved.problems]
    assert any(why in sentence for sentence in sentences), sentences
    assert "data" in await shirts.ask(f"{{ {table} {{ __typename }} }}")


@pytest.mark.anyio
async def test_a_rule_with_a_value_that_is_none_is_left_out(shirts: Library) -> None:
    assert any('"purple" is no text (blue, green, red)' in problem.sentence for problem in shirts.resolved.problems)
    refused = await asked(shirts, "mutation { update_shirt(where: {}, _set: {color: red}) { affected_rows } }")
    assert "errors" in refused
    assert await shirts.value("SELECT count(*) FROM shirt WHERE color = 'red'") == 2


@pytest.mark.anyio
async def test_values_are_told_by_their_names(databases: Databases, tmp_path: Path) -> None:
    """Hasura: `naming_conventions/enum_value_convention.yaml`."""
    file = metadata(tmp_path / "metadata.json")
    document = json.loads(file.read_text())
    document["sources"][0]["customization"] = {"naming_convention": "graphql-default"}
    file.write_text(json.dumps(document))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, file) as opened:
            read = "{ shirt(where: {color: {_in: [RED, BLUE]}}, orderBy: {id: ASC}) { color size } }"
            told = [{"color": "RED", "size": "SMALL"}, {"color": "BLUE", "size": None}, {"color": "RED", "size": "LARGE"}]
            assert await opened.ask(read) == {"data": {"shirt": told}}
            write = "mutation { updateShirt(where: {color: {_eq: BLUE}}, _set: {color: GREEN}) { returning { color } } }"
            assert await opened.ask(write) == {"data": {"updateShirt": {"returning": [{"color": "GREEN"}]}}}
            assert await opened.value("SELECT string_agg(color, ' ' ORDER BY id) FROM shirt") == "red green red"
            lower = "{ shirt(where: {color: {_eq: red}}) { color } }"
            assert error_in(await opened.ask(lower), lower)["extensions"]["code"] == "validation-failed"
