"""Written rows on their way from one statement of a mutation to the next: no type loses anything, and no error tells of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.library import Library
from tests.engine.values import USER, values
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def rows(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    folder: Path = tmp_path_factory.mktemp("kept")
    with databases.temporary() as url:
        async with values(url, folder) as opened:
            yield opened


async def test_a_type_with_a_cast_to_json_comes_back_as_it_was(rows: Library) -> None:
    on = {"state": "on"}
    inserted = await rows.ask(
        'mutation { insert_value(objects: {lamp: "on", lamps: ["on", null], parts: {data: [{lamp: "on"}]}})'
        " { affected_rows returning { lamp lamps parts { lamp value { lamp } } } } }"
    )
    row = {"lamp": on, "lamps": [on, None], "parts": [{"lamp": on, "value": {"lamp": on}}]}
    assert inserted == {"data": {"insert_value": {"affected_rows": 2, "returning": [row]}}}
    updated = await rows.ask(
        'mutation { update_value(where: {lamp: {_eq: "on"}}, _set: {lamp: "off"}) { returning { lamp parts { value { lamp } } } } }'
    )
    off = {"state": "off"}
    assert updated == {"data": {"update_value": {"returning": [{"lamp": off, "parts": [{"value": {"lamp": off}}]}]}}}


@pytest.mark.parametrize(
    ("column", "literal", "told"),
    [
        ("j", "null", None),
        ("jb", '[null,{"a":null}]', [None, {"a": None}]),
        ("tags", '{NULL,"a,b","\\"q\\"",""}', [None, "a,b", '"q"', ""]),
        ("ints", "[2:3]={7,8}", [7, 8]),
        ("d", "NaN", "NaN"),
        ("day", "0044-03-15 BC", "0044-03-15 BC"),
        ("m", "$1,000.50", "$1,000.50"),
        ("t", '(a,"b\\c")', '(a,"b\\c")'),
        ("t", "", ""),
    ],
)
async def test_values_that_json_would_lose(rows: Library, column: str, literal: str, told: object) -> None:
    await rows.pool.execute(f"UPDATE value SET {column} = $1::text::{await _type(rows, column)} WHERE id = 1", literal)
    query = f"mutation {{ update_value(where: {{id: {{_eq: 1}}}}, _set: {{s: 3}}) {{ returning {{ {column} parts {{ id }} }} }} }}"
    assert await rows.ask(query) == {"data": {"update_value": {"returning": [{column: told, "parts": []}]}}}
    assert await rows.ask(query, session=USER) != {"data": {"update_value": {"returning": []}}}


async def _type(rows: Library, column: str) -> str:
    of_column = f"attrelid = 'value'::regclass AND attname = '{column}'"
    return str(await rows.value(f"SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE {of_column}"))


async def test_a_percent_sign_in_a_name_is_a_letter_like_others(rows: Library) -> None:
    inserted = await rows.ask(
        "mutation { insert_percent_one(object: {ab: 3, upper: {data: {ab: 4}}, lower: {data: [{ab: 9}]}})"
        " { ab twice(args: {by: 3}) upper { ab twice } lower { ab } } }"
    )
    assert inserted == {"data": {"insert_percent_one": {"ab": 3, "twice": 9, "upper": {"ab": 4, "twice": 8}, "lower": [{"ab": 9}]}}}
    assert await rows.ask("{ percent(order_by: {ab: asc}) { ab } }", session=USER) == {"data": {"percent": [{"ab": 3}, {"ab": 4}]}}
    query = "mutation { update_percent(where: {}, _inc: {ab: 1}) { affected_rows } }"
    assert "not found in type: 'mutation_root'" in error_in(await rows.ask(query, session=USER), query)["message"]
    assert await rows.ask(query) == {"data": {"update_percent": {"affected_rows": 3}}}
