"""Introspection: what every tool asks is answered as graphql-core would, what multiplies is refused, and neither holds the loop."""

import itertools
from typing import Any

import pytest
from graphql import execute_sync, get_introspection_query, parse

from permissions.session import Session
from resolvers.run.introspection import elements
from tests.engine.library import Library
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

ROLES = ("admin", "patron", "guest", "nobody")
OPTIONS = ("descriptions", "specified_by_url", "directive_is_repeatable", "schema_description", "input_value_deprecation", "one_of")

# graphql-js before its version 15 and what was copied from it: GraphiQL 0.x, Apollo's codegen, Rover, Insomnia.
OLD = """query IntrospectionQuery { __schema {
  queryType { name } mutationType { name } subscriptionType { name } types { ...FullType }
  directives { name description locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue } interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
  kind name ofType { kind name ofType { kind name } } } } } } } }"""


def known_queries() -> dict[str, str]:
    """What graphql-js, GraphiQL, urql, gql, Rover and the consoles send, by name."""
    queries = {"old": OLD, "names": "{ __schema { types { name kind fields { name type { name } } } } }"}
    queries["one type"] = '{ __type(name: "book") { name fields { name args { name } type { name kind ofType { name kind } } } } }'
    for depth, given in itertools.product((7, 9), (dict.fromkeys(OPTIONS, True), dict.fromkeys(OPTIONS, False), {})):
        queries[f"{depth} {given}"] = get_introspection_query(**given, type_depth=depth)
    return queries


def inside(levels: int, *steps: str) -> str:
    """`{ a { b { a { b … name` with that many levels of `steps` in turn."""
    names = list(itertools.islice(itertools.cycle(steps), levels))
    return " { ".join(["", *names, "name"]) + " }" * (levels + 1)


FULL = get_introspection_query()
MULTIPLY = {
    "input fields of input fields": "{ __schema { types " + inside(6, "inputFields", "type") + " } }",
    "fields of fields": "{ __schema { types " + inside(8, "fields", "type") + " } }",
    "fields by name": '{ __type(name: "query_root") ' + inside(6, "fields", "type") + " }",
    "through wrappers": "{ __schema { types " + inside(9, "fields", "type", "ofType") + " } }",
    "mixed": "{ __schema { queryType " + inside(9, "fields", "args", "type", "inputFields", "type") + " } }",
    "deep": "{ __schema { queryType " + inside(60, "ofType") + " } }",
    "in fragments": """{ __schema { types { ...A } } } fragment A on __Type { fields { type { ...B } } }
        fragment B on __Type { fields { type { ...C } } } fragment C on __Type { fields { type { name } } }""",
    "many times": "{ "
    + " ".join(f"a{number}: __schema {{ types {{ ...FullType }} }}" for number in range(40))
    + " }"
    # Without the query itself, its fragments alone.
    + FULL[FULL.index("fragment") :],
    "wide and twice": "{ __schema { types { fields { type { "
    + " ".join(f"a{number}: fields {{ name type {{ name }} }}" for number in range(200))
    + " } } } } }",
}


@pytest.mark.parametrize("name", known_queries())
@pytest.mark.parametrize("role", ROLES)
async def test_tools_are_answered_as_by_graphql_core(role: str, name: str, books: Library) -> None:
    query = known_queries()[name]
    schema = books.engine._views.of(Session(role)).schema._schema
    expected = execute_sync(schema, parse(query))
    assert expected.errors is None
    answer = await books.ask(query, session=Session(role))
    assert answer == {"data": expected.data}
    assert list(answer["data"]) == list(expected.data or {})


@pytest.mark.parametrize("name", MULTIPLY)
@pytest.mark.parametrize("role", ["admin", "guest"])
async def test_what_multiplies_is_refused(role: str, name: str, books: Library) -> None:
    error = error_in(await books.ask(MULTIPLY[name], session=Session(role)), name)
    assert error["extensions"]["code"] == "validation-failed"
    assert any(word in error["message"] for word in ("deep", "tells more than", "costs more than"))


async def test_the_work_follows_the_schema(books: Library) -> None:
    """Every part of the fullest query is told about once, whatever the wrappers and however the query is spread."""
    assert (
        100
        < elements(books.engine._views.of(Session("guest")).schema._schema)
        < elements(books.engine._views.of(Session("admin")).schema._schema)
    )
    twice = FULL.replace("__schema {", "__schema { again: queryType { ...FullType } ")
    answer = await books.ask(twice)
    assert answer["data"]["__schema"]["again"]["name"] == "query_root"


async def test_variables_and_their_types(books: Library) -> None:
    query = "query ($n: String!, $d: Boolean) { __type(name: $n) { name fields(includeDeprecated: $d) { name } } }"
    for name, found in (("book", True), ("nothing", False)):
        answer = await books.ask(query.replace("Boolean", "Boolean!"), {"n": name, "d": False})
        assert (answer["data"]["__type"] is not None) is found
    wrong = error_in(await books.ask(query.replace("Boolean", "Boolean!"), {"n": 1, "d": False}), query)
    assert wrong["extensions"]["code"] == "validation-failed"


DEPRECATED = "{ __schema { types { name fields(includeDeprecated: $d) { name } } } }"


@pytest.mark.parametrize(
    ("declared", "variables"),
    [
        ("$d: Boolean = true", {}),
        ("$d: Boolean = true", {"d": False}),
        ("$d: Boolean! = false", {}),
        ("$d: Boolean", {}),
        ("$d: Boolean", {"d": True}),
        ("$d: Boolean!", {"d": True}),
    ],
)
async def test_variables_are_read_as_by_graphql_core(declared: str, variables: dict[str, Any], books: Library) -> None:
    query, schema = f"query ({declared}) {DEPRECATED}", books.engine._views.of(Session("admin")).schema._schema
    expected = execute_sync(schema, parse(query), variable_values=variables)
    assert expected.errors is None
    assert await books.ask(query, variables) == {"data": expected.data}


@pytest.mark.parametrize(
    ("declared", "variables"),
    [
        ("$d: Boolean!", {}),
        ("$d: Boolean = true", {"d": None}),
        ("$d: Boolean", {"d": "yes"}),
        ("$d: Boolean", {"d": 1e300}),
        ("$d: String", {}),
    ],
)
async def test_variables_of_another_kind_are_refused(declared: str, variables: dict[str, Any], books: Library) -> None:
    error = error_in(await books.ask(f"query ({declared}) {DEPRECATED}", variables), declared)
    assert error["extensions"]["code"] == "validation-failed"


async def test_introspection_beside_tables_keeps_its_place(books: Library) -> None:
    answer = await books.ask('{ a: __schema { queryType { name } } book(limit: 1) { id } b: __type(name: "book") { kind } __typename }')
    assert list(answer["data"].items()) == [
        ("a", {"queryType": {"name": "query_root"}}),
        ("book", [{"id": 1}]),
        ("b", {"kind": "OBJECT"}),
        ("__typename", "query_root"),
    ]
