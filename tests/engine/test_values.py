"""What may stand where a value of a column's type is due, and what comes of it: Hasura's `parsePGValue` and the columns' exact types."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.library import Library
from tests.engine.values import USER, request, values
from tests.support.databases import Databases
from tests.support.refusals import error_in

BOUNDS = "lies outside the bounds or is not an integer.  Maybe it is a float, or is there integer overflow?"
FLOAT_BOUNDS = "lies outside the bounds.  Is it overflowing the float bounds?"


@pytest.fixture(scope="module")
async def rows(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    folder: Path = tmp_path_factory.mktemp("values")
    with databases.temporary() as url:
        async with values(url, folder) as opened:
            yield opened


async def _ask(rows: Library, query: str, variables: str = "{}") -> Any:
    asked = request(query, variables)
    return await rows.ask(asked.query, asked.variables)


FOUND = [
    ("i", "Int", "1.0"),
    ("i", "Int", "1e0"),
    ("s", "smallint", "10e-1"),
    ("b", "bigint", "1.0"),
    ("b", "bigint", '"1"'),
    ("flag", "Boolean", '"t"'),
    ("flag", "Boolean", '"true"'),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("column", "type_", "value"), FOUND)
async def test_a_value_in_another_notation_finds_the_same_rows(rows: Library, column: str, type_: str, value: str) -> None:
    by_variable = await _ask(rows, f"query ($v: {type_}!) {{ value(where: {{{column}: {{_eq: $v}}}}) {{ id }} }}", f'{{"v": {value}}}')
    by_list = await _ask(rows, f"query ($v: [{type_}!]) {{ value(where: {{{column}: {{_in: $v}}}}) {{ id }} }}", f'{{"v": [{value}]}}')
    literal = await _ask(rows, f"{{ value(where: {{{column}: {{_eq: {value}}}}}) {{ id }} }}")
    assert by_variable == by_list == literal == {"data": {"value": [{"id": 1}]}}


UNREADABLE = [
    ("i", "1.5", f"The value 1.5 {BOUNDS}"),
    ("i", "2147483648", f"The value 2.147483648e9 {BOUNDS}"),
    ("s", "40000", f"The value 40000.0 {BOUNDS}"),
    ("b", "9223372036854775808", f"The value 9.223372036854775808e18 {BOUNDS}"),
    ("b", "1e400", f"The value 1.0e400 {BOUNDS}"),
    ("b", "-0.05", f"The value -5.0e-2 {BOUNDS}"),
    ("d", "1e400", f"The value 1.0e400 {FLOAT_BOUNDS}"),
    ("f", "1e39", f"The value 1.0e39 {FLOAT_BOUNDS}"),
    ("i", "true", "parsing Integer expected for input type: PGInteger failed, expected Number, but encountered Boolean"),
    ("flag", "1", "parsing Bool failed, expected Boolean, but encountered Number"),
    ("t", "5", "parsing Text failed, expected String, but encountered Number"),
    ("u", "5", "parsing UUID failed, expected String, but encountered Number"),
    ("day", "[]", "parsing Day failed, expected String, but encountered Array"),
    ("n", "{}", "parsing Scientific failed, expected Number, but encountered Object"),
    ("iv", "5", "A string is expected for type: interval"),
    ("ints", "[1, true]", "parsing Integer expected for input type: PGInteger failed, expected Number, but encountered Boolean"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("column", "value", "message"), UNREADABLE)
async def test_what_no_value_of_the_type_is(rows: Library, column: str, value: str, message: str) -> None:
    before = await rows.value("SELECT count(*) FROM value")
    for query, variables, place in (
        (f"mutation {{ insert_value_one(object: {{{column}: {value}}}) {{ id }} }}", "{}", "insert_value_one.args.object"),
        (
            "mutation ($o: value_insert_input!) { insert_value_one(object: $o) { id } }",
            f'{{"o": {{"{column}": {value}}}}}',
            "insert_value_one.args.object",
        ),
        (f"mutation {{ update_value(where: {{}}, _set: {{{column}: {value}}}) {{ affected_rows }} }}", "{}", "update_value.args._set"),
    ):
        error = error_in(await _ask(rows, query, variables), query)
        assert error["message"] == message
        assert error["extensions"] == {"code": "parse-failed", "path": f"$.selectionSet.{place}.{column}"}
    assert await rows.value("SELECT count(*) FROM value") == before


@pytest.mark.anyio
@pytest.mark.parametrize(("argument", "found"), [("limit", [1]), ("offset", [2])])
@pytest.mark.parametrize("value", ["1", "1.0", "1e0"])
async def test_pages_may_be_counted_in_floats(rows: Library, argument: str, found: list[int], value: str) -> None:
    query = f"query ($n: Int) {{ value(where: {{id: {{_lt: 9}}}}, order_by: {{id: asc}}, {argument}: $n) {{ id }} }}"
    assert await _ask(rows, query, f'{{"n": {value}}}') == {"data": {"value": [{"id": id_} for id_ in found]}}
    # The same shape with another value is another page.
    assert await _ask(rows, query, '{"n": 2.0}') == {"data": {"value": [{"id": 1}, {"id": 2}] if argument == "limit" else []}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("value", "code"), [("1.5", "parse-failed"), ("1e10", "parse-failed"), ("-1", "validation-failed"), ('"1"', "validation-failed")]
)
async def test_no_number_of_rows(rows: Library, value: str, code: str) -> None:
    query = "query ($n: Int) { value(limit: $n) { id } }"
    error = error_in(await _ask(rows, query, f'{{"n": {value}}}'), query)
    assert error["extensions"] == {"code": code, "path": "$.selectionSet.value.args.limit"}


@pytest.mark.anyio
@pytest.mark.parametrize(("value", "found"), [("true", "a boolean"), ("1.5", "a float"), ('"-1"', "a string"), ("[]", "a list")])
async def test_no_offset(rows: Library, value: str, found: str) -> None:
    query = f"{{ value(offset: {value}) {{ id }} }}"
    error = error_in(await _ask(rows, query), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.selectionSet.value.args.offset"}
    assert error["message"] == f"expected a 32-bit integer, or a 64-bit integer represented as a string for type 'Int', but found {found}"


@pytest.mark.anyio
@pytest.mark.parametrize("digits", ["1e400", "-12345678901234567890.123456789012345678", "9007199254740993"])
async def test_no_digit_is_lost_in_the_variables_or_the_document(rows: Library, digits: str) -> None:
    for query, variables in (
        (f"mutation {{ insert_value_one(object: {{n: {digits}, jb: {{k: [{digits}]}}}}) {{ id }} }}", "{}"),
        (
            "mutation ($n: numeric, $j: jsonb) { insert_value_one(object: {n: $n, jb: $j}) { id } }",
            f'{{"n": {digits}, "j": {{"k": [{digits}]}}}}',
        ),
    ):
        id_ = (await _ask(rows, query, variables))["data"]["insert_value_one"]["id"]
        written = f"SELECT n = {digits}::numeric AND jb = '{{\"k\": [{digits}]}}'::jsonb FROM value WHERE id = {id_}"
        assert await rows.value(written) is True


@pytest.mark.anyio
async def test_arrays_and_domains_are_written_as_their_columns_have_them(rows: Library) -> None:
    given = '{tags: ["a", null, "b"], ints: [1, null], cheer: "ok", cheers: ["ok"], m: 1e2}'
    answer = await _ask(rows, f"mutation {{ insert_value_one(object: {given}) {{ tags ints cheer cheers m }} }}")
    expected = {"tags": ["a", None, "b"], "ints": [1, None], "cheer": "ok", "cheers": ["ok"], "m": "$100.00"}
    assert answer == {"data": {"insert_value_one": expected}}
    before = await rows.value("SELECT count(*) FROM value")
    for given in ('{tags: ["much too long a tag"]}', '{cheer: "sad"}', '{cheers: ["sad"]}'):
        query = f"mutation {{ insert_value_one(object: {given}) {{ id }} }}"
        assert error_in(await _ask(rows, query), query)["extensions"]["code"] == "permission-error"
    assert await rows.value("SELECT count(*) FROM value") == before


@pytest.mark.anyio
async def test_a_variable_inside_a_list_is_of_the_elements_type(rows: Library) -> None:
    query = "query ($v: String!) { value(where: {i: {_in: [$v]}}) { id } }"
    error = error_in(await _ask(rows, query, '{"v": "1"}'), query)
    assert error["message"] == "variable 'v' is declared as 'String!', but used where 'Int!' is expected"
    assert error["extensions"]["path"] == "$.selectionSet.value.args.where.i._in[0]"
    query = "query ($v: Int = 1) { value(where: {i: {_in: [$v, 7]}}) { id } }"
    assert await _ask(rows, query) == {"data": {"value": [{"id": 1}]}}
    assert error_in(await _ask(rows, query, '{"v": null}'), query)["extensions"]["code"] == "validation-failed"


NULLS = [
    ("query ($v: Int) { value_by_pk(id: $v) { id } }", "{}", "value_by_pk.args.id", "but used where 'Int!' is expected"),
    ("query ($v: Int = 1) { value_by_pk(id: $v) { id } }", '{"v": null}', "value_by_pk.args.id", "unexpected null value for type 'Int'"),
    ("query ($v: Int = null) { value_by_pk(id: $v) { id } }", "{}", "value_by_pk.args.id", "but used where 'Int!' is expected"),
    ("query ($v: Int = null) { value_by_pk(id: $v) { id } }", '{"v": 1}', "value_by_pk.args.id", "but used where 'Int!' is expected"),
    (
        "mutation ($v: value_insert_input = null) { insert_value_one(object: $v) { id } }",
        '{"v": {"id": 1, "t": "x"}}',
        "insert_value_one.args.object",
        "variable 'v' is declared as 'value_insert_input', but used where 'value_insert_input!' is expected",
    ),
    (
        "mutation ($v: value_bool_exp = {}) { delete_value(where: $v) { affected_rows } }",
        '{"v": null}',
        "delete_value.args.where",
        "expected an object for type 'value_bool_exp', but found null",
    ),
    (
        "mutation ($v: [value_insert_input!] = []) { insert_value(objects: $v) { affected_rows } }",
        '{"v": null}',
        "insert_value.args.objects",
        "expected a list, but found null",
    ),
    (
        "mutation ($v: [value_update_column!]) { insert_value_one(object: {id: 1, t: \"x\"}, "
        "on_conflict: {constraint: value_pkey, update_columns: $v}) { id } }",
        "{}",
        "insert_value_one.args.on_conflict.update_columns",
        "expected a list, but found null",
    ),
    (
        "mutation ($v: value_constraint = value_pkey) { insert_value_one(object: {id: 1, t: \"x\"}, "
        "on_conflict: {constraint: $v, update_columns: [t]}) { id } }",
        '{"v": null}',
        "insert_value_one.args.on_conflict.constraint",
        "expected an enum value for type 'value_constraint', but found null",
    ),
]  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(("query", "variables", "place", "message"), NULLS)
async def test_null_where_a_value_is_due_writes_nothing(rows: Library, query: str, variables: str, place: str, message: str) -> None:
    before = await rows.value("SELECT json_agg(v)::text FROM value v")
    error = error_in(await _ask(rows, query, variables), query)
    assert message in error["message"]
    assert error["extensions"] == {"code": "validation-failed", "path": f"$.selectionSet.{place}"}
    assert await rows.value("SELECT json_agg(v)::text FROM value v") == before


@pytest.mark.anyio
async def test_a_default_stands_for_a_nullable_variable_where_a_value_is_due(rows: Library) -> None:
    query = (
        "mutation ($k: value_pk_columns_input = {id: 2}, $c: value_constraint = value_pkey, $u: [value_update_column!] = [t]) {"
        " update_value_by_pk(pk_columns: $k, _set: {t: \"c\"}) { t }"
        " insert_value_one(object: {id: 2, t: \"d\"}, on_conflict: {constraint: $c, update_columns: $u}) { t } }"
    )  # fmt: skip
    assert await _ask(rows, query) == {"data": {"update_value_by_pk": {"t": "c"}, "insert_value_one": {"t": "d"}}}


@pytest.mark.anyio
async def test_a_role_writes_no_value_into_rows_that_are_not_its_own(rows: Library) -> None:
    query = 'mutation { update_value(where: {id: {_eq: 2}}, _set: {flag: "true", b: 7.0}) { affected_rows } }'
    assert await rows.ask(query, session=USER) == {"data": {"update_value": {"affected_rows": 0}}}
    assert await rows.value("SELECT (flag, b)::text FROM value WHERE id = 2") == "(f,2)"
