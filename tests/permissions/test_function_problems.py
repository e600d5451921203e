"""What is wrong with a tracked function or a computed field is told in Hasura's words, and only that is left out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from schema.model import TableName
from tests.permissions.databases import Sample, document
from tests.support.databases import Databases

SQL = """
CREATE TABLE thing (id int PRIMARY KEY, name text);
CREATE TABLE hidden (id int PRIMARY KEY);
CREATE FUNCTION fits() RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION twice(int) RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION twice(text) RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION many(VARIADIC ids int[]) RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION number() RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION of_hidden() RETURNS SETOF hidden LANGUAGE sql STABLE AS 'SELECT * FROM hidden';
CREATE FUNCTION odd("a b" int) RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION with_session(s json, t text, b jsonb) RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION "no-name"() RETURNS SETOF thing LANGUAGE sql STABLE AS 'SELECT * FROM thing';
CREATE FUNCTION writes() RETURNS SETOF thing LANGUAGE sql VOLATILE AS 'SELECT * FROM thing';
CREATE FUNCTION value_of(thing) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION values_of(thing) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION hidden_of(thing) RETURNS SETOF hidden LANGUAGE sql STABLE AS 'SELECT * FROM hidden';
CREATE FUNCTION given_of(thing, more int) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION many_of(thing, VARIADIC ids int[]) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
"""
CANNOT = "cannot be tracked because"


@pytest.fixture(scope="module")
def sample(databases: Databases) -> Iterator[Sample]:
    with databases.temporary() as url, Sample(url, SQL) as sample:
        yield sample


def served(sample: Sample, *functions: Any, **table: Any) -> tuple[list[str], set[str]]:
    """The problems and the functions that are served, beside `fits`."""
    metadata = document({"table": "thing", **table})
    metadata["sources"][0]["functions"] = [{"function": "fits"}, *functions]
    resolved = sample.resolved(metadata, strict=False)
    names = {str(name) for name in resolved.catalog.functions}
    assert "fits" in names and TableName("public", "thing") in resolved.catalog.tables
    return [problem.sentence for problem in resolved.problems], names - {"fits"}


FUNCTIONS: list[tuple[dict[str, Any], str]] = [
    ({"function": "absent"}, 'no such function exists in the database: "absent".'),
    ({"function": "twice"}, 'function "twice" is overloaded. Overloaded functions are not supported.'),
    ({"function": "many"}, f'the function "many" {CANNOT} function with "VARIADIC" parameters are not supported: many.'),
    ({"function": "number"}, f'the function "number" {CANNOT} the function does not return a "COMPOSITE" type'),
    ({"function": "of_hidden"}, f'the function "of_hidden" {CANNOT} the function does not return a table that is tracked: hidden'),
    ({"function": "odd"}, f'the function "odd" {CANNOT} the function arguments a b are not in compliance with GraphQL spec.'),
    ({"function": "no-name"}, f'the function "no-name" {CANNOT} function name is not a legal GraphQL identifier: no-name'),
    (
        {"function": "with_session", "configuration": {"session_argument": "x"}},
        f'the function "with_session" {CANNOT} given session argument "x" not the input argument of the function',
    ),
    (
        {"function": "with_session", "configuration": {"session_argument": "t"}},
        f'the function "with_session" {CANNOT} given session argument "t" is not of type json',
    ),
    (
        {"function": "with_session", "configuration": {"session_argument": "b"}},
        f'the function "with_session" {CANNOT} given session argument "b" is not of type json',
    ),
    (
        {"function": "with_session", "configuration": {"exposed_as": "mutation"}},
        f'the function "with_session" {CANNOT} the function was requested to be exposed as a mutation, but is not marked VOLATILE. '
        "Maybe the function was given the wrong volatility when it was defined?",
    ),
    ({"function": "fits"}, "The function fits is tracked twice; keep one entry."),
    (
        {"function": "writes", "configuration": {"custom_name": "thing"}},
        "writes would bring a second root field thing",
    ),
    (
        {"function": "writes", "configuration": {"custom_root_fields": {"function": "a", "function_aggregate": "a"}}},
        'the following custom root field names are duplicated: "a" and "a".',
    ),
    ({"function": "writes", "configuration": {"exposed": "query"}}, "`configuration` of a function has no key `exposed`; it takes"),
    ({"function": "writes", "permission": []}, "A tracked function has no key `permission`; it takes"),
    ({"function": "writes", "configuration": {"exposed_as": "both"}}, "`exposed_as` is `query` or `mutation`."),
]


@pytest.mark.parametrize(("entry", "sentence"), FUNCTIONS, ids=[json.dumps(entry) for entry, _ in FUNCTIONS])
def test_a_function_that_does_not_fit_is_left_out(sample: Sample, entry: dict[str, Any], sentence: str) -> None:
    problems, names = served(sample, entry)
    assert [problem[: len(sentence)] for problem in problems] == [sentence] and names == set()


FIELDS = [
    ("values_of", "Computed field f: values_of returns rows; only functions that return one value, or rows of a table"),
    ("hidden_of", "Computed field f: hidden_of returns rows of hidden, which is not tracked; track it."),
    ("many_of", 'Computed field f: function with "VARIADIC" parameters are not supported: many_of.'),
    ("fits", "Computed field f: No function fits takes a row of thing there; see `table_argument`."),
]


@pytest.mark.parametrize(("function", "sentence"), FIELDS)
def test_a_computed_field_that_does_not_fit_is_left_out(sample: Sample, function: str, sentence: str) -> None:
    problems, _ = served(sample, computed_fields=[{"name": "f", "definition": {"function": function}}])
    assert [problem[: len(sentence)] for problem in problems] == [sentence]


RULES = [
    ({"given": {"_eq": 1}}, "given is a computed field with input arguments; those can't be part of a rule."),
    ({"value": {"_eq": "x"}}, '"x" is no int4.'),
    ({"value": {"_like": "1"}}, "_like can't be used on value, which is of type int4."),
    ({"value": {"_ceq": "id"}}, "value is a computed field; those can't be compared with columns."),
    ({"valu": {"_eq": 1}}, "thing has no column or relationship valu; did you mean value?"),
]


@pytest.mark.parametrize(("rule", "sentence"), RULES)
def test_a_rule_that_misuses_a_computed_field_takes_its_permission_with_it(sample: Sample, rule: Any, sentence: str) -> None:
    fields = [{"name": "value", "definition": {"function": "value_of"}}, {"name": "given", "definition": {"function": "given_of"}}]
    permission = {"role": "user", "permission": {"columns": "*", "filter": rule}}
    metadata = document({"table": "thing", "computed_fields": fields, "select_permissions": [permission]})
    resolved = sample.resolved(metadata, strict=False)
    assert [problem.sentence for problem in resolved.problems] == [f"The select permission of user on thing: {sentence}"]
    assert resolved.rules("user").select == {}
