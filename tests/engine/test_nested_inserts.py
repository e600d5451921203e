"""Rows inserted with what belongs to them: order, keys, the check of every level, counts, paths, and nothing left behind a refusal."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.library import Library
from tests.engine.writing import done, dump, refused, things
from tests.engine.written_things import ANN, BOB
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio
INSERT = "mutation ($o: [folder_insert_input!]!) { insert_folder(objects: $o) %s }"
COUNT = INSERT % "{ affected_rows }"
PATH = "$.selectionSet.insert_folder.args.objects"


@pytest.fixture
async def store(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with things(databases, tmp_path) as opened:
        yield opened


def folder(title: str, **more: Any) -> dict[str, Any]:
    return {"owner_id": 1, "title": title, **more}


def data(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": list(rows), **more}


async def test_children_and_what_comes_after_their_parent(store: Library) -> None:
    """Checks of notes look at their folder, which the same request has inserted."""
    rows = [
        folder("a", notes=data({"body": "1"}, {"body": "2"}), cover={"data": {"colour": "red"}}),
        folder("b", notes=data()),
        folder("c", notes=None, cover=None),
    ]
    query = INSERT % "{ affected_rows returning { title stamp notes(order_by: {body: asc}) { body } cover { colour } } }"
    assert (await done(store, query, variables={"o": rows}))["insert_folder"] == {
        "affected_rows": 6,
        "returning": [
            {"title": "a", "stamp": "inserted", "notes": [{"body": "1"}, {"body": "2"}], "cover": {"colour": "red"}},
            {"title": "b", "stamp": "inserted", "notes": [], "cover": None},
            {"title": "c", "stamp": "inserted", "notes": [], "cover": None},
        ],
    }


async def test_siblings_come_in_the_order_of_their_names(store: Library) -> None:
    """Whatever the request's: Hasura's `Test/Mutations/Insert/NestedSpec.hs` has siblings that lead to each other."""
    row = folder("a", notes=data({"id": 1, "body": "there already"}), cover={"data": {}})
    message = await refused(store, COUNT, "constraint-violation", f"{PATH}[0].cover.data", variables={"o": [row]})
    assert message.startswith("Not-NULL violation."), "the cover comes before the notes"


async def test_what_gives_a_row_its_keys_comes_before_it(store: Library) -> None:
    query = """mutation ($t: String!) { insert_note_one(object: {body: "x", folder: {data: {title: $t, owner_id: 1}}}) {
        body folder { title stamp } } }"""
    assert await done(store, query, variables={"t": "new"}) == {
        "insert_note_one": {"body": "x", "folder": {"title": "new", "stamp": "inserted"}}
    }
    path = "$.selectionSet.insert_note_one.args.object[0].folder.data"
    await refused(store, query.replace("owner_id: 1", "owner_id: 2"), "permission-error", path, variables={"t": "new"})
    message = await refused(store, query, "constraint-violation", path, variables={"t": "new"})
    assert message.startswith("Uniqueness violation.")


async def test_three_levels(store: Library) -> None:
    await store.pool.execute("DELETE FROM shop.part; TRUNCATE owner CASCADE")
    query = """mutation { insert_owner(objects: {id: 1, name: "ann", folders: {data: [
        {title: "a", notes: {data: [{body: "1"}, {body: "2"}]}}, {title: "b"}, {title: "c", notes: {data: {body: "3"}}}]}}) {
        affected_rows returning { folders(order_by: {title: asc}) { title notes_aggregate: notes { body } } } } }"""
    assert (await done(store, query))["insert_owner"] == {
        "affected_rows": 7,
        "returning": [
            {
                "folders": [
                    {"title": "a", "notes_aggregate": [{"body": "1"}, {"body": "2"}]},
                    {"title": "b", "notes_aggregate": []},
                    {"title": "c", "notes_aggregate": [{"body": "3"}]},
                ]
            }
        ],
    }


async def test_the_check_of_every_level_undoes_all(store: Library) -> None:
    await refused(
        store, COUNT, "permission-error", f"{PATH}[1]", variables={"o": [folder("a", notes=data({"body": "1"})), folder("b", owner_id=2)]}
    )
    await refused(store, COUNT, "permission-error", f"{PATH}[0]", BOB, variables={"o": folder("a", notes=data({"body": "1"}))})
    # The note's check is asked of the parent that it really has.
    note = 'mutation ($f: Int!) { insert_note(objects: [{body: "ok", folder_id: 1}, {body: "x", folder_id: $f}]) { affected_rows } }'
    await refused(store, note, "permission-error", "$.selectionSet.insert_note.args.objects", variables={"f": 2})
    bad = [folder("a", notes=data({"body": "1"}, {"body": "2", "id": 1}))]
    message = await refused(store, COUNT, "constraint-violation", f"{PATH}[0].notes.data", variables={"o": bad})
    assert message.startswith("Uniqueness violation.")


async def test_keys_that_a_parent_gives_can_t_be_given(store: Library) -> None:
    rows = [folder("a", notes=data({"body": "1"}, {"body": "2", "folder_id": 1}))]
    message = await refused(store, COUNT, "validation-failed", f"{PATH}[0].notes.data[1]", variables={"o": rows})
    assert message == 'cannot insert "folder_id" columns as their values are already being determined by parent insert'
    rows = [folder("a", owner={"data": {"id": 1, "name": "x"}})]
    message = await refused(store, COUNT, "validation-failed", f"{PATH}[0].owner", variables={"o": rows})
    assert message == 'cannot insert object relationship "owner" as "owner_id" column values are already determined'
    rows = [folder("a", notes=data({"body": "1", "folder": {"data": folder("b")}}))]
    message = await refused(store, COUNT, "validation-failed", f"{PATH}[0].notes.data[0].folder", variables={"o": rows})
    assert message == 'cannot insert object relationship "folder" as "folder_id" column values are already determined'


async def test_a_key_may_be_given_where_the_row_comes_first(store: Library) -> None:
    rows = [folder("a", id=50, cover={"data": {"colour": "red"}})]
    assert await done(store, COUNT, variables={"o": rows}) == {"insert_folder": {"affected_rows": 2}}
    assert await store.value("SELECT colour FROM cover WHERE folder_id = 50") == "red"


async def test_conflicts_at_every_level(store: Library) -> None:
    conflict = {"constraint": "note_pkey", "update_columns": ["body"]}
    owner = {"data": {"id": 1, "name": "ann"}, "on_conflict": {"constraint": "owner_pkey", "update_columns": []}}
    message = await refused(store, COUNT, "not-supported", f"{PATH}[0].owner", variables={"o": [{"title": "a", "owner": owner}]})
    assert message == 'cannot proceed to insert object relation "owner" since insert to table "owner" affects zero rows'
    rows = [folder("a", notes=data({"id": 1, "body": "moved"}, {"id": 2, "body": "not mine"}, {"body": "new"}, on_conflict=conflict))]
    # The conflicting row that is Ann's is updated where it is, Bob's is passed over.
    assert await done(store, COUNT, variables={"o": rows}) == {"insert_folder": {"affected_rows": 3}}
    assert await store.value("SELECT string_agg(folder_id || body, ' ' ORDER BY id) FROM note WHERE id < 50") == "1moved 2b"


async def test_a_parent_that_is_left_out_takes_no_children(store: Library) -> None:
    query = """mutation ($u: [folder_update_column!]!) { insert_folder_one(
        object: {owner_id: 1, title: "in", notes: {data: {body: "late"}}},
        on_conflict: {constraint: folder_owner_id_title_key, update_columns: $u}) { id notes { body } } }"""
    message = await refused(store, query, "not-supported", "$.selectionSet.insert_folder_one.args.object[0]", variables={"u": []})
    assert message == 'cannot proceed to insert array relations since insert to table "folder" affects zero rows'
    assert await done(store, query, variables={"u": ["size"]}) == {
        "insert_folder_one": {"id": 1, "notes": [{"body": "a"}, {"body": "late"}]}
    }


async def test_one_mutation_is_one_transaction(store: Library) -> None:
    query = """mutation { a: insert_folder_one(object: {owner_id: 1, title: "a", notes: {data: {body: "1"}}}) { id }
        b: insert_folder_one(object: {owner_id: 1, title: "b", cover: {data: {}}}) { id } }"""
    await refused(store, query, "constraint-violation", "$.selectionSet.insert_folder_one.args.object[0].cover.data")


async def test_a_role_sees_only_relationships_that_it_may_insert_into(store: Library) -> None:
    told = await store.ask('{ __type(name: "note_insert_input") { inputFields { name } } }')
    assert {field["name"] for field in told["data"]["__type"]["inputFields"]} >= {"folder", "body"}
    query = "mutation { insert_note_one(object: {folder: {}}) { id } }"
    error = error_in(await store.ask(query), query)
    assert error["message"] == "missing required field 'data'"
    assert error["extensions"]["path"] == "$.selectionSet.insert_note_one.args.object.folder.data"


async def test_many_rows_cost_what_their_statements_do(store: Library) -> None:
    """Each row is a statement, so thousands are more than one request may ask for; nothing of them is written."""
    rows = [folder(str(number), notes=data({"body": "x"})) for number in range(2000)]
    before = await dump(store)
    error = error_in(await store.ask(COUNT, {"o": rows}, session=ANN), COUNT)
    assert error["message"].startswith("the query costs more than")
    assert await dump(store) == before


async def test_values_that_no_row_names_have_a_price_too(store: Library) -> None:
    """One row that names all columns gives each of thousands a default for them."""
    query = "mutation ($o: [folder_insert_input!]!) { insert_folder(objects: $o) { affected_rows } }"
    before = await dump(store)
    rows = [{"id": 900, "owner_id": 1, "title": "x", "size": 1}, *[{} for _ in range(8000)]]
    error = error_in(await store.ask(query, {"o": rows}, session=ANN), query)
    assert error["message"].startswith("the query costs more than")
    children = {"o": [folder("many", notes=data(*[{} for _ in range(1500)]))]}
    error = error_in(await store.ask(COUNT, children, session=ANN), COUNT)
    assert error["message"].startswith("the query costs more than")
    assert await dump(store) == before
