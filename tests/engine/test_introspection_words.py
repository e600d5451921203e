"""What introspection says and in which order, as Hasura's own tests have it (`queries/graphql_introspection`)."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from tests.engine.library import Library, library
from tests.support.databases import Databases

pytestmark = pytest.mark.anyio

SQL = """
CREATE TABLE spoken (id int PRIMARY KEY, name text);
COMMENT ON TABLE spoken IS 'of the database';
COMMENT ON COLUMN spoken.name IS 'a name';
CREATE TABLE plain (id int PRIMARY KEY, name text);
CREATE TABLE written (id int PRIMARY KEY, name text);
COMMENT ON TABLE written IS 'of the database';
COMMENT ON COLUMN written.name IS 'a name';
CREATE TABLE silent (id int PRIMARY KEY, name text);
COMMENT ON TABLE silent IS 'of the database';
COMMENT ON COLUMN silent.name IS 'a name';
"""
WRITES = ["insert", "insert_one", "update", "update_by_pk", "update_many", "delete", "delete_by_pk"]
ROOTS = ["select", "select_by_pk", "select_aggregate", "select_stream", *WRITES]
RULE = {"role": "user", "permission": {"columns": "*", "filter": {}}}


def configured(comment: str, say: Any) -> dict[str, Any]:
    fields = {key: {"name": None, "comment": say(key)} for key in ROOTS}
    return {"comment": comment, "column_config": {"name": {"comment": say("name")}}, "custom_root_fields": fields}


TABLES: list[dict[str, Any]] = [
    {"table": "spoken", "select_permissions": [RULE]},
    {"table": "plain", "configuration": {"custom_root_fields": {"select": "Zed"}}, "select_permissions": [RULE]},
    {"table": "written", "configuration": configured("of the metadata", lambda key: f"said of {key}")},
    {"table": "silent", "configuration": configured("", lambda _: "")},
]


@pytest.fixture(scope="module")
async def commented(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    path: Path = tmp_path_factory.mktemp("metadata") / "metadata.json"
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": TABLES}]}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, path) as opened:
            yield opened


async def said(asked: Library, name: str) -> dict[str, str | None]:
    """What a type says of itself, as "", and of its fields."""
    told = (await asked.ask(f'{{ __type(name: "{name}") {{ description fields {{ name description }} }} }}'))["data"]["__type"]
    return {"": told["description"]} | {field["name"]: field["description"] for field in told["fields"]}


async def test_comments_come_from_the_metadata_then_the_database(commented: Library) -> None:
    assert await said(commented, "spoken") == {"": "of the database", "id": None, "name": "a name"}
    assert await said(commented, "plain") == {"": 'columns and relationships of "plain"', "id": None, "name": None}
    assert await said(commented, "written") == {"": "of the metadata", "id": None, "name": "said of name"}
    assert await said(commented, "silent") == {"": None, "id": None, "name": None}


async def test_root_fields_say_what_the_metadata_says_of_them(commented: Library) -> None:
    query, mutation, subscription = [await said(commented, f"{kind}_root") for kind in ("query", "mutation", "subscription")]
    assert query["spoken"] == 'fetch data from the table: "spoken"'
    assert query["spoken_aggregate"] == 'fetch aggregated fields from the table: "spoken"'
    assert query["Zed"] == 'fetch data from the table: "plain"'
    assert mutation["delete_plain_by_pk"] == 'delete single row from the table: "plain"'
    assert {name: text for name, text in query.items() if "written" in name} == {
        "written": "said of select",
        "written_aggregate": "said of select_aggregate",
        "written_by_pk": "said of select_by_pk",
    }
    assert mutation["insert_written_one"] == "said of insert_one"
    assert subscription["written_stream"] == "said of select_stream"
    for root in (query, mutation, subscription):
        assert {text for name, text in root.items() if "silent" in name} == {None}


async def test_the_default_words_of_generated_types(commented: Library) -> None:
    async def values(name: str) -> dict[str, str]:
        told = await commented.ask(f'{{ __type(name: "{name}") {{ enumValues {{ name description }} }} }}')
        return {value["name"]: value["description"] for value in told["data"]["__type"]["enumValues"]}

    assert await values("spoken_select_column") == {"id": "column name", "name": "column name"}
    assert await values("order_by") == {
        "asc": "in ascending order, nulls last",
        "asc_nulls_first": "in ascending order, nulls first",
        "asc_nulls_last": "in ascending order, nulls last",
        "desc": "in descending order, nulls first",
        "desc_nulls_first": "in descending order, nulls first",
        "desc_nulls_last": "in descending order, nulls last",
    }
    told = await commented.ask('{ __type(name: "spoken_bool_exp") { description } }')
    words = "Boolean expression to filter rows from the table \"spoken\". All fields are combined with a logical 'AND'."
    assert told["data"]["__type"]["description"] == words


FULL = """{ __schema { types { name fields { name args { name } } inputFields { name } enumValues { name } }
  directives { name locations } } }"""


@pytest.mark.parametrize("role", ["admin", "patron", "nobody"])
async def test_everything_is_told_in_the_order_of_names(role: str, books: Library) -> None:
    told = (await books.ask(FULL, session=Session(role)))["data"]["__schema"]

    def ordered(members: list[dict[str, Any]] | None) -> bool:
        names = [member["name"] for member in members or ()]
        return names == sorted(names)

    assert ordered(told["types"])
    for type_ in (type_ for type_ in told["types"] if not type_["name"].startswith("__")):
        assert ordered(type_["fields"]) and ordered(type_["inputFields"]) and ordered(type_["enumValues"]), type_["name"]
        assert all(ordered(field["args"]) for field in type_["fields"] or ()), type_["name"]


# https://spec.graphql.org/September2025
DIRECTIVES = {
    "include": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
    "skip": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
    "deprecated": ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"],
    "specifiedBy": ["SCALAR"],
    "oneOf": ["INPUT_OBJECT"],
    # Hasura's own.
    "cached": ["QUERY"],
}
LOCATIONS = """QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR
  OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION"""


async def test_directives_stand_where_the_published_specification_has_them(books: Library) -> None:
    told = (await books.ask(FULL))["data"]["__schema"]
    types = {type_["name"]: type_ for type_ in told["types"]}
    assert {directive["name"]: directive["locations"] for directive in told["directives"]} == DIRECTIVES
    assert {value["name"] for value in types["__DirectiveLocation"]["enumValues"]} == set(LOCATIONS.split())
    assert [field["name"] for field in types["__Directive"]["fields"]] == ["name", "description", "isRepeatable", "locations", "args"]


async def test_every_role_is_derived_at_the_start(books: Library) -> None:
    views = books.engine._views
    books.engine.derive_roles()
    known = dict(views._views)
    sessions = [Session(role, backend_only=backend) for role in (*books.resolved.roles, "a stranger") for backend in (False, True)]
    assert all(views.of(session) is known[views.of(session).key] for session in sessions)
    assert views._views == known
