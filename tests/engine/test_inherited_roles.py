"""An inherited role: rows that any parent sees, cells that are null where no parent that reads the column sees the row, and writes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import code_in, error_in
from tests.support.unshared import Unshared

SQL = """
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL, budget int NOT NULL);
CREATE TABLE worker (
  id int PRIMARY KEY, name text NOT NULL, wage int NOT NULL, remarks text, boss_id int NOT NULL, team_id int NOT NULL REFERENCES team
);
CREATE FUNCTION yearly(w worker) RETURNS int LANGUAGE sql STABLE AS $$ SELECT w.wage * 12 $$;
CREATE FUNCTION hire() RETURNS SETOF worker LANGUAGE sql VOLATILE AS $$ UPDATE worker SET remarks = 'hired' WHERE id = 3 RETURNING * $$;
INSERT INTO team VALUES (1, 'north', 100), (2, 'south', 200);
INSERT INTO worker VALUES
  (1, 'Ada', 10, 'good', 7, 1), (2, 'Ben', 20, 'late', 8, 2), (3, 'Cyd', 30, 'bold', 7, 2), (4, 'Dee', 40, 'calm', 9, 1);
"""
# Ada sees herself with her wage; her boss, 7, sees workers 1 and 3 with remarks.
BOTH = {"x-hasura-user-id": "1", "x-hasura-boss-id": "7"}


def metadata(path: Path) -> Path:
    def permission(role: str, **body: Any) -> dict[str, Any]:
        return {"role": role, "permission": body}

    worker = {
        "table": "worker",
        "object_relationships": [{"name": "team", "using": {"foreign_key_constraint_on": "team_id"}}],
        "computed_fields": [{"name": "yearly", "definition": {"function": "yearly"}}],
        "select_permissions": [
            permission(
                "self", columns=["id", "name", "wage", "boss_id"], filter={"id": "X-Hasura-User-Id"}, limit=2, computed_fields=["yearly"]
            ),
            permission(
                "boss", columns=["name", "remarks", "team_id"], filter={"boss_id": "X-Hasura-Boss-Id"}, allow_aggregations=True, limit=3
            ),
            permission("poster", columns=["name"], filter={}),
            permission("named", columns=["name"], filter={"id": {"_eq": 4}}),
            permission("misspelt", columns=["nmae"], filter={"id": {"_eq": 4}}),
        ],
        "insert_permissions": [
            permission("boss", check={"_and": [{"boss_id": {"_gt": 1}}, {"wage": {"_gt": 5}}]}, columns="*"),
            permission("second", check={"_and": [{"wage": {"_gt": 5}}, {"boss_id": {"_gt": 1}}]}, columns="*"),
        ],
        "update_permissions": [
            permission("self", columns=["name"], filter={"id": "X-Hasura-User-Id"}),
            permission("boss", columns=["remarks"], filter={"boss_id": "X-Hasura-Boss-Id"}),
        ],
        "delete_permissions": [
            permission("misspelt", filter={"idd": {"_eq": 4}}),
            permission("boss", filter={"boss_id": "X-Hasura-Boss-Id"}),
        ],
    }
    team = {
        "table": "team",
        "array_relationships": [{"name": "workers", "using": {"foreign_key_constraint_on": {"table": "worker", "column": "team_id"}}}],
        "select_permissions": [
            permission("self", columns=["id", "name"], filter={}),
            permission("boss", columns=["id", "budget"], filter={"workers": {"boss_id": "X-Hasura-Boss-Id"}}),
        ],
    }
    inherited = [
        {"role_name": "both", "role_set": ["self", "boss"]},
        {"role_name": "wall", "role_set": ["both", "poster"]},
        {"role_name": "bosses", "role_set": ["boss", "second"]},
        {"role_name": "named", "role_set": ["self", "boss"]},
        {"role_name": "misspelt", "role_set": ["self", "boss"]},
        {"role_name": "caller", "role_set": ["self", "boss"]},
    ]
    hire = {"function": "hire", "configuration": {"exposed_as": "mutation"}, "permissions": [{"role": "caller"}]}
    source = {"name": "main", "kind": "postgres", "tables": [team, worker], "functions": [hire]}
    path.write_text(json.dumps({"version": 3, "inherited_roles": inherited, "sources": [source]}))
    return path


@pytest.fixture(scope="module")
async def workers(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, metadata(tmp_path_factory.mktemp("metadata") / "metadata.json")) as opened:
            yield opened


async def asked(workers: Library, query: str, role: str = "both", variables: dict[str, Any] | None = None) -> Any:
    return await workers.ask(query, variables, session=Session(role, {**BOTH, "x-hasura-role": role}))


SELECTS: list[tuple[str, dict[str, Any]]] = [
    (
        "{ worker(order_by: {name: asc}) { id name wage remarks yearly team { name budget } } }",
        {
            "worker": [
                {"id": 1, "name": "Ada", "wage": 10, "remarks": "good", "yearly": 120, "team": {"name": "north", "budget": 100}},
                {"id": None, "name": "Cyd", "wage": None, "remarks": "bold", "yearly": None, "team": {"name": "south", "budget": 200}},
            ]
        },
    ),
    # What isn't shown can't be found, nor told by its order.
    ("{ worker(where: {wage: {_eq: 30}}) { name } }", {"worker": []}),
    ("{ worker(where: {wage: {_neq: 30}}) { name } }", {"worker": [{"name": "Ada"}]}),
    ("{ worker(where: {_not: {wage: {_eq: 30}}}) { name } }", {"worker": [{"name": "Ada"}]}),
    ("{ worker(where: {wage: {_is_null: true}}) { name } }", {"worker": [{"name": "Cyd"}]}),
    ("{ worker(where: {id: {_in: [1, 3]}}) { name } }", {"worker": [{"name": "Ada"}]}),
    ("{ team(where: {workers: {wage: {_gt: 0}}}) { id } }", {"team": [{"id": 1}]}),
    ("{ team(where: {workers: {wage: {_is_null: true}}}) { id } }", {"team": [{"id": 2}]}),
    ("{ worker(order_by: {wage: desc_nulls_last}) { name } }", {"worker": [{"name": "Ada"}, {"name": "Cyd"}]}),
    ("{ worker(distinct_on: wage, order_by: {wage: asc}) { wage } }", {"worker": [{"wage": 10}, {"wage": None}]}),
    ("{ worker_by_pk(id: 1) { name } }", {"worker_by_pk": {"name": "Ada"}}),
    ("{ worker_by_pk(id: 3) { name } }", {"worker_by_pk": None}),
    (
        "{ worker_aggregate { aggregate { count n: count(columns: wage) sum { wage } max { wage id remarks } } nodes { wage } } }",
        {
            "worker_aggregate": {
                "aggregate": {"count": 2, "n": 1, "sum": {"wage": 10}, "max": {"wage": 10, "id": 1, "remarks": "good"}},
                "nodes": [{"wage": 10}, {"wage": None}],
            }
        },
    ),
    (
        "{ worker_aggregate(order_by: {name: desc}, limit: 1) { aggregate { max { wage } } } }",
        {"worker_aggregate": {"aggregate": {"max": {"wage": None}}}},
    ),
    (
        "{ team(order_by: {workers_aggregate: {max: {wage: asc_nulls_last}}}) { id workers_aggregate { aggregate { sum { wage } } } } }",
        {
            "team": [
                {"id": 1, "workers_aggregate": {"aggregate": {"sum": {"wage": 10}}}},
                {"id": 2, "workers_aggregate": {"aggregate": {"sum": {"wage": None}}}},
            ]
        },
    ),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("query", "data"), SELECTS, ids=[query for query, _ in SELECTS])
async def test_rows_of_all_parents_and_cells_of_each(workers: Library, query: str, data: dict[str, Any]) -> None:
    assert await asked(workers, query) == {"data": data}


@pytest.mark.anyio
async def test_a_parent_alone_sees_less_and_a_stranger_nothing(workers: Library) -> None:
    assert await asked(workers, "{ worker { name } }", "self") == {"data": {"worker": [{"name": "Ada"}]}}
    assert code_in(await asked(workers, "{ worker { remarks } }", "self"), "{ worker { remarks } }") == "validation-failed"
    stranger = Session("both", {"x-hasura-user-id": "99", "x-hasura-boss-id": "99"})
    assert await workers.ask("{ worker { name } }", session=stranger) == {"data": {"worker": []}}
    assert await workers.ask("{ worker_aggregate { aggregate { count } } }", session=stranger) == {
        "data": {"worker_aggregate": {"aggregate": {"count": 0}}}
    }


@pytest.mark.anyio
async def test_the_variables_of_all_parents_have_to_be_there(workers: Library) -> None:
    answer = await workers.ask("{ worker { name } }", session=Session("both", {"x-hasura-user-id": "1"}))
    assert error_in(answer, "worker")["message"] == 'missing session variable: "x-hasura-boss-id"'


@pytest.mark.anyio
async def test_limits_and_aggregates_are_the_widest(workers: Library) -> None:
    both = workers.resolved.rules("both").select
    [(worker, rule)] = [(name, rule) for name, rule in both.items() if name.name == "worker"]
    assert (rule.limit, rule.allow_aggregations) == (3, True)
    assert workers.resolved.rules("wall").select[worker].limit == 3


@pytest.mark.anyio
async def test_an_inherited_role_of_an_inherited_role_shows_no_cell_that_its_parent_hides(workers: Library) -> None:
    answer = await asked(workers, "{ worker(order_by: {name: asc}) { id name wage remarks } }", "wall")
    assert answer["data"]["worker"] == [
        {"id": 1, "name": "Ada", "wage": 10, "remarks": "good"},
        {"id": None, "name": "Ben", "wage": None, "remarks": None},
        {"id": None, "name": "Cyd", "wage": None, "remarks": "bold"},
    ]
    assert await asked(workers, "{ worker(where: {wage: {_gte: 20}}) { name } }", "wall") == {"data": {"worker": []}}


@pytest.mark.anyio
async def test_a_permission_of_the_role_itself_stands_instead(workers: Library) -> None:
    assert await asked(workers, "{ worker { name } team { id } }", "named") == {
        "data": {"worker": [{"name": "Dee"}], "team": [{"id": 1}, {"id": 2}]}
    }
    assert code_in(await asked(workers, "{ worker { wage } }", "named"), "{ worker { wage } }") == "validation-failed"


@pytest.mark.anyio
async def test_writes_that_differ_are_inherited_by_nobody(workers: Library) -> None:
    problems = [problem.sentence for problem in workers.resolved.problems if "'both'" in problem.sentence]
    entity = "update permission, table: worker, source: 'main'"
    assert problems == [f"Could not inherit permission for the role 'both' for the entity: '{entity}'"]
    refused = await asked(workers, 'mutation { update_worker(where: {}, _set: {name: "X"}) { affected_rows } }')
    assert error_in(refused, "update")["message"] == "field 'update_worker' not found in type: 'mutation_root'"
    assert await workers.value("SELECT count(*) FROM worker WHERE name = 'X'") == 0


@pytest.mark.anyio
async def test_writes_that_are_alike_or_of_one_parent_are_inherited(workers: Library) -> None:
    insert = "mutation ($row: worker_insert_input!) { insert_worker_one(object: $row) { id name wage remarks } }"
    row = {"id": 5, "name": "Eve", "wage": 6, "remarks": "new", "boss_id": 7, "team_id": 1}
    refused = await asked(workers, insert, variables={"row": {**row, "wage": 1}})
    assert code_in(refused, row) == "permission-error"
    assert await workers.value("SELECT count(*) FROM worker WHERE id = 5") == 0
    # Written by the boss, who is shown no wage.
    answer = await asked(workers, insert, variables={"row": row})
    assert answer == {"data": {"insert_worker_one": {"id": None, "name": "Eve", "wage": None, "remarks": "new"}}}
    assert "errors" in await asked(workers, "mutation { delete_worker_by_pk(id: 5) { name } }", "self")
    answer = await asked(workers, "mutation { delete_worker_by_pk(id: 5) { name } }")
    assert answer == {"data": {"delete_worker_by_pk": None}}, "the key isn't shown to whoever may delete"
    answer = await asked(workers, 'mutation { delete_worker(where: {name: {_eq: "Eve"}}) { returning { id name } } }')
    assert answer == {"data": {"delete_worker": {"returning": [{"id": None, "name": "Eve"}]}}}
    inserted = workers.resolved.rules("bosses").insert
    assert [name.name for name in inserted] == ["worker"], "the order of what holds together means nothing"


@pytest.mark.anyio
async def test_cells_that_may_be_hidden_are_nullable(workers: Library) -> None:
    query = '{ __type(name: "worker") { fields { name type { kind } } } }'
    kinds = {field["name"]: field["type"]["kind"] for field in (await asked(workers, query))["data"]["__type"]["fields"]}
    assert (kinds["name"], kinds["id"], kinds["wage"]) == ("NON_NULL", "SCALAR", "SCALAR")
    kinds = {field["name"]: field["type"]["kind"] for field in (await asked(workers, query, "self"))["data"]["__type"]["fields"]}
    assert (kinds["name"], kinds["id"], kinds["wage"]) == ("NON_NULL", "NON_NULL", "NON_NULL")


@pytest.mark.anyio
async def test_a_slip_in_what_a_role_has_itself_gives_it_nothing_more(workers: Library) -> None:
    """Hasura gives what the parents have."""
    for query in ("{ worker { name } }", "mutation { delete_worker(where: {}) { affected_rows } }"):
        assert code_in(await asked(workers, query, "misspelt"), query) == "validation-failed"
    assert await workers.value("SELECT count(*) FROM worker") == 4
    assert "errors" not in await asked(workers, "{ team { id } }", "misspelt")


@pytest.mark.anyio
async def test_a_function_may_name_the_role_that_inherits(workers: Library) -> None:
    query = "mutation { hire { name wage remarks } }"
    assert code_in(await asked(workers, query), query) == "validation-failed"
    assert await workers.value("SELECT count(*) FROM worker WHERE remarks = 'hired'") == 0
    assert await asked(workers, query, "caller") == {"data": {"hire": [{"name": "Cyd", "wage": None, "remarks": "hired"}]}}


@pytest.mark.anyio
@pytest.mark.parametrize("told", ["affected_rows", "affected_rows returning { name }", "affected_rows returning { wage }"])
async def test_a_short_answer_to_a_write_is_told_however_long_the_other_cells_are(workers: Library, told: str) -> None:
    limits = Limits(answer_bytes=400, admin_answer_bytes=400)
    limited = Engine.build(workers.resolved.catalog, workers.resolved.roles, Unshared(workers.database), limits=limits)
    await workers.pool.execute("INSERT INTO worker SELECT n, 'temp', 1, repeat('x', 5000), 7, 1 FROM generate_series(11, 13) n")
    query = f'mutation {{ delete_worker(where: {{name: {{_eq: "temp"}}}}) {{ {told} }} }}'
    much = query.replace(told, "returning { remarks }")
    session = Session("both", {**BOTH, "x-hasura-role": "both"})
    refused = json.loads((await limited.execute(Request(much), session)).body)
    assert code_in(refused, much) == "answer-too-large"
    assert await workers.value("SELECT count(*) FROM worker WHERE name = 'temp'") == 3
    answer = json.loads((await limited.execute(Request(query), session)).body)
    assert answer["data"]["delete_worker"]["affected_rows"] == 3
    assert answer["data"]["delete_worker"].get("returning", []) in ([], [{"name": "temp"}] * 3, [{"wage": None}] * 3)
    assert await workers.value("SELECT count(*) FROM worker WHERE name = 'temp'") == 0
