"""What an update makes of a column, many updates at once, presets, and writes that only a trusted server has."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.engine.library import Library
from tests.engine.writing import done, dump, refused, things
from tests.engine.written_things import ANN, BOB, NOT_SERVER, SERVER
from tests.support.databases import Databases
from tests.support.refusals import error_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with things(databases, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("operator", "value", "left"),
    [
        ("_append", {"y": 2}, {"k": [1, 2], "x": 1, "y": 2}),
        ("_append", {"x": None}, {"k": [1, 2], "x": None}),
        ("_prepend", {"x": 9, "y": 2}, {"k": [1, 2], "x": 1, "y": 2}),
        ("_delete_key", "x", {"k": [1, 2]}),
        ("_delete_at_path", ["k", "0"], {"k": [2], "x": 1}),
        ("_delete_at_path", [], {"k": [1, 2], "x": 1}),
        ("_set", [1], [1]),
    ],
)
async def test_jsonb(store: Library, operator: str, value: Any, left: Any) -> None:
    query = f"mutation ($v: note{operator}_input) {{ update_note_by_pk(pk_columns: {{id: 1}}, {operator}: $v) {{ doc }} }}"
    assert (await done(store, query, variables={"v": {"doc": value}}))["update_note_by_pk"] == {"doc": left}
    # Whose note it isn't changes nothing.
    before = await dump(store)
    assert await done(store, query, BOB, {"v": {"doc": value}}) == {"update_note_by_pk": None}
    assert await dump(store) == before


async def test_elements_and_numbers(store: Library) -> None:
    query = "mutation ($n: Int!) { update_note_by_pk(pk_columns: {id: 2}, _delete_elem: {doc: $n}, _inc: {stars: 2}) { doc stars } }"
    assert (await done(store, query, BOB, {"n": -1}))["update_note_by_pk"] == {"doc": ["p"], "stars": 2}
    query = "mutation { update_note_by_pk(pk_columns: {id: 1}, _delete_elem: {doc: 0}) { doc } }"
    assert "delete" in await refused(store, query, "data-exception", "$")
    inc = "mutation ($n: smallint) { update_note(where: {}, _inc: {stars: $n}) { affected_rows } }"
    assert await done(store, inc, variables={"n": 5}) == {"update_note": {"affected_rows": 1}}
    assert await refused(store, inc, "data-exception", "$", variables={"n": 32767}) == "smallint out of range"
    # A difference that is null leaves null, as in PostgreSQL.
    assert await done(store, inc, variables={"n": None}) == {"update_note": {"affected_rows": 1}}
    assert await store.value("SELECT stars FROM note WHERE id = 1") is None


async def test_operators_take_only_what_they_work_on(store: Library) -> None:
    for operator, column in (("_inc", "body"), ("_append", "stars"), ("_delete_key", "body")):
        query = f"mutation {{ update_note(where: {{}}, {operator}: {{{column}: 1}}) {{ affected_rows }} }}"
        await refused(store, query, "validation-failed", f"$.selectionSet.update_note.args.{operator}.{column}")
    # `title` is text, `size` a number, and no column of folders is jsonb.
    query = "mutation { update_folder(where: {}, _append: {title: 1}) { affected_rows } }"
    assert "no argument named '_append'" in await refused(store, query, "validation-failed", "$.selectionSet.update_folder")


async def test_a_column_has_one_operator(store: Library) -> None:
    query = 'mutation { update_note(where: {}, _set: {stars: 1, body: "x"}, _inc: {stars: 1}) { affected_rows } }'
    message = await refused(store, query, "validation-failed", "$.selectionSet.update_note.args")
    assert message == "Column found in multiple operators: ['stars']."
    many = "mutation { update_note_many(updates: [{where: {}}, {where: {}, _set: {stars: 1}, _inc: {stars: 1}}]) { affected_rows } }"
    await refused(store, many, "validation-failed", "$.selectionSet.update_note_many.args.updates[1]")


async def test_the_check_sees_what_was_made(store: Library) -> None:
    query = "mutation ($n: Int!) { update_folder(where: {}, _inc: {size: $n}) { affected_rows returning { size stamp } } }"
    await refused(store, query, "permission-error", "$", variables={"n": 97})
    data = await done(store, query, variables={"n": 96})
    assert data["update_folder"] == {"affected_rows": 1, "returning": [{"size": 99, "stamp": "1"}]}


async def test_many_updates_run_in_order_and_each_answers(store: Library) -> None:
    query = """mutation ($u: [folder_updates!]!) { update_folder_many(updates: $u) {
        affected_rows returning { size owner { name } notes { id } } } }"""
    updates = [
        {"where": {"size": {"_eq": 3}}, "_inc": {"size": 1}},
        {"where": {"size": {"_eq": 4}}, "_set": {"size": 10}},
        {"where": {"size": {"_eq": 4}}, "_set": {"size": 11}},
        {"where": {}},
    ]
    row = {"owner": {"name": "ann"}, "notes": [{"id": 1}]}
    assert (await done(store, query, variables={"u": updates}))["update_folder_many"] == [
        {"affected_rows": 1, "returning": [{"size": 4, **row}]},
        {"affected_rows": 1, "returning": [{"size": 10, **row}]},
        {"affected_rows": 0, "returning": []},
        # The preset alone is written.
        {"affected_rows": 1, "returning": [{"size": 10, **row}]},
    ]
    assert await done(store, query, variables={"u": []}) == {"update_folder_many": []}
    # The last one's check undoes all.
    await refused(store, query, "permission-error", "$", variables={"u": [updates[3], {"where": {}, "_set": {"size": 100}}]})
    missing = "mutation { update_folder_many(updates: [{_set: {size: 1}}]) { affected_rows } }"
    message = await refused(store, missing, "validation-failed", "$.selectionSet.update_folder_many.args.updates[0].where")
    assert message == "missing required field 'where'"


async def test_a_row_of_presets_is_an_empty_object(store: Library) -> None:
    one = "mutation { insert_tick_one(object: {}) { who kind } }"
    assert await done(store, one) == {"insert_tick_one": {"who": 1, "kind": "tick"}}
    many = "mutation ($o: [tick_insert_input!]!) { insert_tick(objects: $o) { affected_rows } }"
    assert await done(store, many, variables={"o": [{}, {}]}) == {"insert_tick": {"affected_rows": 2}}
    message = await refused(
        store,
        "mutation { insert_tick_one(object: {who: 2}) { id } }",
        "validation-failed",
        "$.selectionSet.insert_tick_one.args.object.who",
    )
    assert message == "field 'who' not found in type: 'tick_insert_input'"
    told = await store.ask('{ __type(name: "tick_insert_input") { inputFields { name } } }', session=ANN)
    assert told == {"data": {"__type": {"inputFields": []}}}


async def test_writes_for_trusted_servers_are_absent_for_others(store: Library) -> None:
    query = (
        'mutation { insert_tick_one(object: {who: 3, kind: "x"}, on_conflict: {constraint: tick_pkey, update_columns: [kind]}) { who } }'
    )
    before = await dump(store)
    assert error_in(await store.ask(query, session=NOT_SERVER), query)["message"] == "no mutations exist"
    assert await dump(store) == before
    assert await done(store, query, SERVER) == {"insert_tick_one": {"who": 3}}
    names = "{ __schema { types { name } } }"
    told = {role: json.dumps(await store.ask(names, session=role_session)) for role, role_session in (("not", NOT_SERVER), ("is", SERVER))}
    assert "tick_insert_input" not in told["not"] and "tick_insert_input" in told["is"]


async def test_views_take_what_postgresql_takes(store: Library) -> None:
    insert = 'mutation ($l: Int!) { insert_loud(objects: {id: 5, name: "eve", level: $l}) { affected_rows returning { name } } }'
    assert (await done(store, insert, variables={"l": 9}))["insert_loud"] == {"affected_rows": 1, "returning": [{"name": "eve"}]}
    await refused(
        store,
        insert.replace("5", "6").replace('"eve"', '"fay"'),
        "permission-error",
        "$.selectionSet.insert_loud.args.objects",
        variables={"l": 5},
    )
    update = 'mutation { update_loud(where: {}, _set: {name: "BOB"}) { affected_rows } }'
    assert await done(store, update, BOB) == {"update_loud": {"affected_rows": 1}}
    assert await done(store, update) == {"update_loud": {"affected_rows": 0}}
    assert await done(store, 'mutation { delete_loud(where: {name: {_eq: "eve"}}) { affected_rows } }') == {
        "delete_loud": {"affected_rows": 0}
    }


async def test_a_view_may_be_inserted_into_and_not_be_updated(store: Library) -> None:
    insert = "mutation ($o: Int!) { insert_counted_one(object: {owner_id: $o}) { owner_id } }"
    assert await done(store, insert, variables={"o": 1}) == {"insert_counted_one": {"owner_id": 1}}
    assert await store.value("SELECT count(*) FROM folder WHERE title = 'made' AND owner_id = 1") == 1
    await refused(store, insert, "permission-error", "$.selectionSet.insert_counted_one.args.object", variables={"o": 2})
    told = await store.ask("{ __schema { mutationType { fields { name } } } }")
    fields = {field["name"] for field in told["data"]["__schema"]["mutationType"]["fields"]}
    assert "insert_counted" in fields and not fields & {"update_counted", "update_counted_many", "delete_counted", "delete_counted_by_pk"}


async def test_many_updates_have_one_answer_of_a_size(store: Library) -> None:
    """What is too large is told inside the transaction, and nothing was written."""
    limits = Limits(answer_bytes=400, admin_answer_bytes=400)
    limited = Engine.build(store.resolved.catalog, store.resolved.roles, Unshared(store.database), limits=limits)
    one = "{where: {}, _inc: {size: 1}}"
    query = "mutation {{ update_folder_many(updates: [{}]) {{ returning {{ id title size }} }} }}"
    before = await dump(store)
    refusal = (await limited.execute(Request(query.format(", ".join([one] * 20))), ANN)).refusal
    assert refusal is not None and refusal.code == "answer-too-large"
    assert await dump(store) == before
    assert (await limited.execute(Request(query.format(one)), ANN)).refusal is None
    assert await dump(store) != before
