"""A rule that is one of several things is asked branch by branch where a page of rows is, and the same rows are found."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.sql.live_plan import as_json
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import code_in

pytestmark = pytest.mark.anyio

SQL = """
CREATE TABLE room (id int PRIMARY KEY);
CREATE TABLE member (room_id int REFERENCES room, user_id int NOT NULL, PRIMARY KEY (room_id, user_id));
CREATE INDEX ON member (user_id);
CREATE TABLE call (id int PRIMARY KEY, room_id int REFERENCES room, owner_id int NOT NULL, guest_id int, at int NOT NULL, price numeric,
  seller_id int, host_id int);
CREATE INDEX ON call (room_id, at);
CREATE INDEX ON call (owner_id, at DESC);
CREATE INDEX ON call (seller_id);
CREATE INDEX ON call (host_id, at) WHERE host_id > 3;
CREATE INDEX ON call (at);
CREATE INDEX ON call (guest_id) WHERE guest_id IS NOT NULL;
INSERT INTO room SELECT generate_series(1, 20);
INSERT INTO member SELECT r, u FROM generate_series(1, 20) r, generate_series(1, 10) u WHERE (r * u) % 7 = 1;
INSERT INTO call SELECT i, nullif(i % 21, 0), 1 + i % 10, i % 5, (i * 37) % 100, i % 13, i % 6, i % 7 FROM generate_series(1, 500) i;
ANALYZE;
"""
OWNER: dict[str, Any] = {"owner_id": {"_eq": "X-Hasura-User-Id"}}
GUEST = {"guest_id": {"_eq": "X-Hasura-User-Id"}}
IN_ROOM = {"room": {"members": {"user_id": {"_eq": "X-Hasura-User-Id"}}}}
RULES: dict[str, Any] = {
    "user": {"_or": [OWNER, IN_ROOM]},
    "late": {"at": {"_gt": 20}, "_or": [OWNER, {"_or": [IN_ROOM, {"id": {"_in": [1, 2, 3]}}]}]},
    # Two members of one room: its calls come once.
    "pair": {"_or": [OWNER, {"room": {"members": {"user_id": {"_in": [1, 8]}}}}]},
    # What an index leads to, but in no order; and an index over some rows.
    "seller": {"_or": [OWNER, {"seller_id": {"_eq": "X-Hasura-User-Id"}}]},
    "host": {"_or": [OWNER, {"host_id": {"_eq": "X-Hasura-User-Id"}}]},
    # Nothing leads to a guest but an index over some rows, to the price none at all, and nothing from a negation.
    "guest": {"_or": [OWNER, GUEST]},
    "buyer": {"_or": [OWNER, {"price": {"_eq": 3}}]},
    "other": {"_or": [OWNER, {"_not": IN_ROOM}]},
    "owner": OWNER,
}
PAGE = "{ call(limit: 7, order_by: [{at: desc}, {id: asc}]) { id at room { id } } }"


@pytest.fixture(scope="module")
async def calls(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    members = {"name": "members", "using": {"foreign_key_constraint_on": {"table": "member", "column": "room_id"}}}
    permissions = [
        {"role": role, "permission": {"columns": "*", "filter": rule, "allow_aggregations": True}} for role, rule in RULES.items()
    ]
    everything = [{"role": role, "permission": {"columns": "*", "filter": {}}} for role in RULES]
    tables = [
        {"table": "room", "array_relationships": [members], "select_permissions": everything},
        {"table": "member", "select_permissions": everything},
        {
            "table": "call",
            "object_relationships": [{"name": "room", "using": {"foreign_key_constraint_on": "room_id"}}],
            "select_permissions": permissions,
        },
    ]
    metadata: Path = tmp_path_factory.mktemp("calls") / "metadata.json"
    metadata.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables}]}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata) as opened:
            yield opened


async def statement(calls: Library, query: str, role: str) -> str:
    planned = await calls.engine._planner.plan(*await _asked(calls, query, role))
    sql: str = planned.plan.sql  # type: ignore[union-attr]
    return sql


async def _asked(calls: Library, query: str, role: str) -> Any:
    request, view = Request(query, {}), calls.engine._views.of(Session(role))
    return view, await calls.engine._planner.document(view, request), request


@pytest.mark.parametrize(("role", "branches"), [("user", 2), ("late", 3), ("pair", 2)])
async def test_each_branch_whose_rows_are_stored_in_order_finds_its_own(role: str, branches: int, calls: Library) -> None:
    """That of the rooms twice, of each room the first and of those; then those of all branches."""
    sql = await statement(calls, PAGE, role)
    assert (sql.count("UNION"), sql.count("LATERAL"), sql.count("LIMIT 7")) == (branches - 1, 1, branches + 3)


@pytest.mark.parametrize("role", ["seller", "host", "guest", "buyer", "other", "owner"])
async def test_a_rule_with_a_branch_that_is_not_stands_as_it_is(role: str, calls: Library) -> None:
    assert "UNION" not in await statement(calls, PAGE, role)


@pytest.mark.parametrize(
    "query",
    [
        "{ call(order_by: {at: desc}) { id } }",
        "{ call(limit: 7) { id } }",
        "{ call(limit: 7, order_by: [{id: asc}, {at: desc}]) { id } }",
        "{ call(limit: 7, order_by: {at: desc_nulls_last}) { id } }",
        "{ call(limit: 7, order_by: {price: desc}) { id } }",
        "{ call(limit: 7, order_by: {room: {id: desc}}) { id } }",
        "{ call(limit: 7, order_by: {at: desc}, distinct_on: at) { id } }",
        "{ call(limit: 7, order_by: {at: desc}, where: {price: {_gt: 1}}) { id } }",
        "{ call(limit: 7, order_by: {at: desc}, where: {room: {}}) { id } }",
        "{ call(limit: 1001, order_by: {at: desc}) { id } }",
        "{ call_aggregate(limit: 7, order_by: {at: desc}) { aggregate { count } } }",
    ],
)
async def test_any_other_question_is_asked_as_it_stands(query: str, calls: Library) -> None:
    assert "UNION" not in await statement(calls, query, "user")


@pytest.mark.parametrize("role", ["user", "late", "pair"])
@pytest.mark.parametrize("more", ["", ", offset: 5", ", offset: 490", ", where: {at: {_lt: 50}, _not: {id: {_eq: 9}}}"])
async def test_the_rows_are_the_same(role: str, more: str, calls: Library) -> None:
    """As with an order that nothing may be done by beside the rule: then the rule stands as it is."""
    order = "[{at: desc}, {id: asc}]"
    query = f"{{ call(limit: 7, order_by: {order}{more}) {{ id at room {{ id }} }} }}"
    whole = query.replace("limit: 7", "limit: 1007").replace(", offset: 5", "").replace(", offset: 490", "")
    offset = int(more.removeprefix(", offset: ")) if "offset" in more else 0
    assert "UNION" in await statement(calls, query, role)
    assert "UNION" not in await statement(calls, whole, role)
    for user in range(1, 12):
        session = Session(role, {"x-hasura-user-id": str(user)})
        expected = (await calls.ask(whole, session=session))["data"]["call"][offset : offset + 7]
        assert (await calls.ask(query, session=session))["data"]["call"] == expected
        assert offset or expected == [] or all(row["at"] <= expected[0]["at"] for row in expected)


async def test_a_session_without_a_variable_is_refused(calls: Library) -> None:
    assert code_in(await calls.ask(PAGE, session=Session("user")), PAGE) == "not-found"


async def test_what_is_asked_beside_the_rule_is_bounded(calls: Library) -> None:
    """It stands in each branch: a long condition would be as many times as long."""
    terms = ", ".join(f"{{id: {{_neq: {number}}}}}" for number in range(9))
    query = f"{{ call(limit: 7, order_by: {{at: desc}}, where: {{_and: [{terms}]}}) {{ id }} }}"
    assert "UNION" not in await statement(calls, query, "user")


async def test_a_live_query_asks_branch_by_branch_for_each_of_its_sessions(calls: Library) -> None:
    sessions = [Session("user", {"x-hasura-user-id": str(user)}) for user in (1, 2, 3)]
    live = [await calls.engine.live_query(Request(f"subscription {PAGE}", {}), session) for session in sessions]
    plan = live[0].plan  # type: ignore[union-attr]
    assert "UNION" in plan.sql
    each = [as_json(one.own) for one in live if one is not None]
    rows = await calls.pool.fetch(plan.sql, *plan.arguments(live[0].shared, each))  # type: ignore[union-attr]
    found = {row[0]: json.loads(row[1]) for row in rows}
    assert [found[number] for number in (1, 2, 3)] == [await calls.ask(PAGE, session=session) for session in sessions]
