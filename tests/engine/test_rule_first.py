"""The function of an operator that isn't leakproof is called for no hidden row: counted for every operator, type and place of a query."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from resolvers.documents.request import Request
from schema.model import TableName
from schema.operators import OPERATORS
from tests.engine import things
from tests.engine.library import Library, library, session_of
from tests.engine.things import COLUMNS, ME
from tests.support.counted_functions import calls, count_calls
from tests.support.databases import Databases
from tests.support.plans import statement_of
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]

USER = session_of({"x-hasura-role": "user", "x-hasura-user-id": ME})
ASKED = {(column, name): asked for column in COLUMNS for name in OPERATORS if (asked := things.asked(column, name))}
FENCE = '_visible"'

CONDITIONS = {
    "list": "query ($v: TYPE!) { thing(where: {COLUMN: {OPERATOR: $v}}) { id label } }",
    "not": "query ($v: TYPE!) { thing(where: {_not: {COLUMN: {OPERATOR: $v}}}, order_by: {n: asc}, limit: 3) { id } }",
    "or": "query ($v: TYPE!) { thing(where: {_or: [{COLUMN: {OPERATOR: $v}}, {id: {_lt: 0}}]}) { id } }",
    "beside a leakproof one": "query ($v: TYPE!) { thing(where: {id: {_gt: 0}, COLUMN: {OPERATOR: $v}}) { id } }",
    "aggregate": "query ($v: TYPE!) { thing_aggregate(where: {COLUMN: {OPERATOR: $v}}) { aggregate { count } nodes { id } } }",
    "related rows": """query ($v: TYPE!) { hall { things(where: {COLUMN: {OPERATOR: $v}}) { id label }
                       things_aggregate(where: {COLUMN: {OPERATOR: $v}}) { aggregate { count } } } }""",
    "condition on related rows": "query ($v: TYPE!) { hall(where: {things: {COLUMN: {OPERATOR: $v}}}) { id } }",
    "condition on no related row": "query ($v: TYPE!) { hall(where: {_not: {things: {COLUMN: {OPERATOR: $v}}}}) { id } }",
    "condition deeper": "query ($v: TYPE!) { gate(where: {halls: {things: {COLUMN: {OPERATOR: $v}}}}) { id } }",
    "condition around": "query ($v: TYPE!) { thing(where: {hall: {things: {COLUMN: {OPERATOR: $v}}}}) { id } }",
    "aggregate of related rows": """query ($v: TYPE!) { hall(where: {things_aggregate: {count: {
                                    predicate: {_lt: 9}, filter: {COLUMN: {OPERATOR: $v}}}}}) { id } }""",
    "update": 'mutation ($v: TYPE!) { update_thing(where: {COLUMN: {OPERATOR: $v}}, _set: {touched: "x"}) { affected_rows } }',
    "delete": "mutation ($v: TYPE!) { delete_thing(where: {COLUMN: {OPERATOR: $v}}) { affected_rows } }",
}
LIVE = "subscription ($v: TYPE!) { thing(where: {COLUMN: {OPERATOR: $v}}) { id } }"
ORDERS = {
    "order": "{ thing(order_by: [{COLUMN: asc}, {n: desc}], limit: 5) { id } }",
    "distinct": "{ thing(distinct_on: [COLUMN], order_by: {COLUMN: desc}) { id } }",
    "related rows": "{ hall { things(order_by: {COLUMN: desc_nulls_last}, limit: 2) { id } } }",
    "page of an aggregate": "{ thing_aggregate(order_by: {COLUMN: asc}, limit: 5) { aggregate { count } nodes { id } } }",
    "function": "{ thing_aggregate { aggregate { max { COLUMN } min { COLUMN } } } }",
    "count of different ones": "{ thing_aggregate { aggregate { count(columns: [COLUMN], distinct: true) } } }",
    "order by related rows": "{ hall(order_by: {things_aggregate: {max: {COLUMN: asc}}}) { id } }",
}
# Columns whose sort isn't leakproof, and those of them whose sort counts; a `max` of numbers compares without it.
TELLING = {"price", "mood", "doc", "words", "prices"}
SORTED = {"price", "doc"}
# Texts by other names; in one place they are tried like all others.
MORE_TEXTS = {"code", "fixed", "tagged"}
# The planner sees values, or it doesn't; and joins that it would not choose for so few rows.
PLANNERS = ("plan_cache_mode = force_custom_plan", "plan_cache_mode = force_generic_plan", "enable_nestloop = off")


@pytest.fixture(scope="module", params=PLANNERS)
async def store(request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    """The things, with functions that count; admin would see all of them."""
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(things.SQL)
        await connection.execute(things.filled())
        await count_calls(connection, ["anyenum", "anyarray", "jsonpath", *[type_ for type_, *_ in COLUMNS.values()]])
        await connection.execute(f"ALTER DATABASE {url.rsplit('/', 1)[-1]} SET {request.param}")
        await connection.close()
        async with library(url, things.metadata(tmp_path_factory.mktemp("things") / "metadata.json")) as opened:
            assert opened.resolved.problems == ()
            yield opened


@pytest.mark.parametrize("place", CONDITIONS)
async def test_no_condition_looks_at_a_hidden_row(place: str, store: Library) -> None:
    for (column, operator), (type_, value) in ASKED.items():
        if await is_leakproof(store, column, operator) or (place != "list" and column in MORE_TEXTS):
            continue
        query = CONDITIONS[place].replace("TYPE", type_).replace("COLUMN", column).replace("OPERATOR", operator)
        await ask(store, query, {"v": value})
        hidden, visible = await calls_of(store)
        assert hidden == 0, f"{column} {operator}: {hidden} calls for hidden rows"
        assert visible > 0, f"{column} {operator} counts nothing"


@pytest.mark.parametrize("place", ORDERS)
async def test_no_order_and_no_function_looks_at_a_hidden_row(place: str, store: Library) -> None:
    for column in sorted(TELLING if "max" not in ORDERS[place] else SORTED - {"doc"}):
        query = ORDERS[place].replace("COLUMN", column)
        if column not in SORTED and "distinct" in query:
            # Nor does DISTINCT say which enum or array it compares.
            continue
        await ask(store, query, {})
        hidden, visible = await calls_of(store)
        assert hidden == 0, f"{column}: {hidden} calls for hidden rows"
        assert visible > 0 or column not in SORTED or "max" in query, f"{column} counts nothing"
        assert FENCE in await sql(store, query.replace("{", "subscription {", 1), {})


@pytest.mark.parametrize(
    "query",
    [
        "{ priced_by_pk(price: 7.77) { price } }",
        "{ priced { sold { price } } }",
        "{ priced { sold_aggregate { aggregate { count } } } }",
        "{ priced(where: {sold: {}}) { price } }",
        "{ priced(where: {sold: {room_id: {_gt: 0}}}) { price } }",
        "{ priced(where: {sold_aggregate: {count: {predicate: {_gt: 0}}}}) { price } }",
        "{ priced(where: {sold_aggregate: {count: {arguments: price, distinct: true, predicate: {_lt: 9}}}}) { price } }",
        "{ priced(order_by: {sold_aggregate: {count: desc}}) { price } }",
    ],
)
async def test_no_key_is_compared_with_a_hidden_row(query: str, store: Library) -> None:
    await ask(store, query, {})
    hidden, visible = await calls_of(store)
    assert (hidden, visible > 0) == (0, True)


async def test_conditions_on_related_rows_come_after_the_rule(store: Library) -> None:
    """Leakproof as they are: how long it takes to find no related row tells how many a hidden row has."""
    for condition in ("hall: {id: {_eq: 1}}", "_not: {hall: {id: {_eq: 1}}}", "room: {}", "_or: [{n: {_eq: 1}}, {hall: {id: {_eq: 1}}}]"):
        statement = await sql(store, f"subscription {{ thing(where: {{n: {{_eq: 7}}, {condition}}}) {{ id }} }}", {})
        inside, outside = statement.split('AS "2_visible"')
        assert '1_thing".n = ' in inside
        assert "hall" in outside if "hall" in condition else "EXISTS" in outside, condition


async def sql(store: Library, query: str, variables: dict[str, Any]) -> str:
    """The statement of the same as a query."""
    return (await statement_of(store.engine, Request(query.replace("subscription", "query"), variables), USER))[0]


async def ask(store: Library, query: str, variables: dict[str, Any]) -> Any:
    answer = await store.ask(query, variables, session=USER)
    assert "errors" not in answer, (query, answer)
    return answer


async def calls_of(store: Library) -> tuple[int, int]:
    async with store.pool.acquire() as connection:
        return await calls(connection)


IN_POSTGRESQL = {"LIKE": "~~", "NOT LIKE": "!~~", "ILIKE": "~~*", "NOT ILIKE": "!~~*", "SIMILAR TO": "~", "NOT SIMILAR TO": "!~"}


async def is_leakproof(store: Library, column: str, operator: str) -> bool:
    """What `pg_proc` says, looked up by name."""
    sql = OPERATORS[operator].sql
    if operator == "_is_null":
        return True
    left = {"tag": "text", "varchar": "text"}.get(COLUMNS[column][0], COLUMNS[column][0])
    right = OPERATORS[operator].right or left
    found = await store.value(
        "SELECT p.proleakproof FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode "
        f"WHERE o.oid = to_regoperator('{IN_POSTGRESQL.get(sql, sql.split()[0])}({left}, {right})')"
    )
    return bool(found)


async def test_what_is_leakproof_is_merged_and_nothing_else(store: Library) -> None:
    leakproof = set()
    for (column, operator), (type_, value) in ASKED.items():
        query = LIVE.replace("TYPE", type_).replace("COLUMN", column).replace("OPERATOR", operator)
        statement = await sql(store, query, {"v": value})
        assert (FENCE not in statement) is await is_leakproof(store, column, operator), (column, operator)
        if FENCE not in statement:
            leakproof.add(column)
            assert "CASE WHEN (thing" not in statement
    assert {"n", "big", "word", "code", "fixed", "tagged", "key", "flag", "day", "at", "real"} <= leakproof
    columns = store.resolved.catalog[TableName("public", "thing")].columns
    assert {name for name, column in columns.items() if column.leakproof.sorting} == columns.keys() - TELLING


async def test_the_plan_keeps_conditions_outside_of_the_rule(store: Library) -> None:
    """The scan of the table holds the rule and what is leakproof; the pattern stands on the rows that come out of it."""
    query = '{ thing(where: {word: {_regex: "^s"}, n: {_lt: 100}}, order_by: {n: asc}, limit: 5) { id } }'
    sql, arguments = await statement_of(store.engine, Request(query), USER)
    plan = json.loads(await store.pool.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments))
    filters = {node["Alias"]: node["Filter"] for node in nodes(plan[0]["Plan"]) if "Filter" in node and "Alias" in node}
    assert [alias for alias, condition in filters.items() if "~" in condition] == ["2_visible"]
    assert "n < " in filters["1_thing"]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


@pytest.mark.parametrize(
    "meanwhile",
    ["UPDATE thing SET word = 'eight' WHERE id = 3", "UPDATE thing SET room_id = 2, word = 'seven 13' WHERE id = 3"],
    ids=["it matches no more", "it is hidden"],
)
async def test_a_row_that_changes_meanwhile_is_judged_as_it_became(meanwhile: str, store: Library) -> None:
    """An update that waited for another one decides again: the rule, then the condition."""
    query = 'mutation { update_thing(where: {id: {_eq: 3}, word: {_regex: "^seven"}}, _set: {touched: "late"}) { affected_rows } }'
    async with store.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(meanwhile)
        late = asyncio.create_task(store.ask(query, session=USER))
        await eventually(lambda: waits(other))
        await transaction.commit()
    assert await late == {"data": {"update_thing": {"affected_rows": 0}}}
    assert (await calls_of(store))[0] == 0
    await store.pool.execute("UPDATE thing SET room_id = 1, word = 'seven' WHERE id = 3")
    assert (await store.ask(query, session=USER)) == {"data": {"update_thing": {"affected_rows": 1}}}
    await calls_of(store)


async def waits(connection: Any) -> bool:
    """Whether somebody waits for a row that this connection's transaction has changed."""
    waiting: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    return waiting
