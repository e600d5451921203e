"""`on_conflict`: which rows an insert may write into, held to the update permission, and which it leaves as they are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from permissions.session import Session
from tests.engine.library import Library
from tests.engine.writing import done, refused, things
from tests.engine.written_things import ANN, BOB
from tests.support.databases import Databases
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio
KEY = "folder_owner_id_title_key"


@pytest.fixture
async def store(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    async with things(databases, tmp_path) as opened:
        yield opened


def upsert(rows: str, conflict: str, selection: str = "affected_rows returning { id size stamp }") -> str:
    return f"mutation {{ insert_folder(objects: {rows}, on_conflict: {{{conflict}}}) {{ {selection} }} }}"


async def test_a_new_row_has_the_presets_of_the_insert_and_an_old_one_those_of_the_update(store: Library) -> None:
    rows = '[{owner_id: 1, title: "in", size: 8}, {owner_id: 1, title: "out", size: 9}]'
    data = await done(store, upsert(rows, f"constraint: {KEY}, update_columns: [size]"))
    assert data["insert_folder"]["affected_rows"] == 2
    assert {(row["size"], row["stamp"]) for row in data["insert_folder"]["returning"]} == {(8, "1"), (9, "inserted")}


async def test_rows_outside_the_update_filter_stay_as_they_are(store: Library) -> None:
    query = upsert('[{id: 2, owner_id: 1, title: "mine"}]', "constraint: folder_pkey, update_columns: [title]")
    assert await done(store, query) == {"insert_folder": {"affected_rows": 0, "returning": []}}
    assert await store.value("SELECT title FROM folder WHERE id = 2") == "in"
    assert (await done(store, query.replace("owner_id: 1", "owner_id: 2"), BOB))["insert_folder"]["affected_rows"] == 1


async def test_each_half_has_a_check_of_its_own(store: Library) -> None:
    path = "$.selectionSet.insert_folder.args.objects"
    update = f"constraint: {KEY}, update_columns: [size]"
    # 100 is too much for an update, and not for an insert.
    assert (await done(store, upsert('{owner_id: 1, title: "new", size: 100}', update)))["insert_folder"]["affected_rows"] == 1
    await refused(store, upsert('{owner_id: 1, title: "in", size: 100}', update), "permission-error", path)
    await refused(store, upsert('[{owner_id: 2, title: "new"}, {owner_id: 1, title: "in"}]', update), "permission-error", path)


async def test_without_a_check_of_the_update_that_of_the_insert_holds(store: Library) -> None:
    """A note is moved by no update: its folder is no column of it, so the row is still where the filter found it."""
    query = """mutation ($o: [note_insert_input!]!) {
        insert_note(objects: $o, on_conflict: {constraint: note_pkey, update_columns: [body]}) {
            affected_rows returning { body folder_id } } }"""
    row = {"id": 1, "folder_id": 1, "body": "new"}
    data = await done(store, query, variables={"o": [row]})
    assert data["insert_note"] == {"affected_rows": 1, "returning": [{"body": "new", "folder_id": 1}]}
    await refused(
        store,
        query,
        "permission-error",
        "$.selectionSet.insert_note.args.objects",
        variables={"o": [row, {"folder_id": 2, "body": "not mine"}]},
    )


async def test_a_condition_of_the_request_is_one_more(store: Library) -> None:
    query = upsert('{owner_id: 1, title: "in", size: 5}', f"constraint: {KEY}, update_columns: [size], where: {{size: {{_gt: 3}}}}")
    assert (await done(store, query))["insert_folder"]["affected_rows"] == 0
    assert (await done(store, query.replace("_gt: 3", "_gt: 2")))["insert_folder"]["affected_rows"] == 1
    asked = 'constraint: folder_pkey, update_columns: [title], where: {notes: {body: {_eq: "b"}}}'
    hidden = upsert('{id: 2, owner_id: 1, title: "x"}', asked)
    assert (await done(store, hidden))["insert_folder"]["affected_rows"] == 0


async def test_no_columns_means_that_the_row_is_left_out(store: Library) -> None:
    for columns in ("", ", update_columns: []"):
        query = upsert('[{owner_id: 1, title: "in", size: 50}, {owner_id: 1, title: "more"}]', f"constraint: {KEY}{columns}")
        assert (await done(store, query))["insert_folder"]["affected_rows"] == (0 if columns else 1)
    assert await store.value("SELECT size FROM folder WHERE id = 1") == 3
    one = 'mutation { insert_folder_one(object: {id: 1, owner_id: 1, title: "z"}, on_conflict: {constraint: folder_pkey}) { id } }'
    assert await done(store, one) == {"insert_folder_one": None}
    # Another constraint is violated as ever.
    message = await refused(
        store,
        upsert('{owner_id: 1, title: "in"}', "constraint: folder_pkey, update_columns: []"),
        "constraint-violation",
        "$.selectionSet.insert_folder.args.objects",
    )
    assert message.startswith("Uniqueness violation.")


async def test_only_columns_that_the_role_may_update_can_be_named(store: Library) -> None:
    path = "$.selectionSet.insert_folder.args.on_conflict"
    for column in ("owner_id", "stamp", "_PLACEHOLDER"):
        query = upsert('{owner_id: 1, title: "in"}', f"constraint: {KEY}, update_columns: [{column}]")
        message = await refused(store, query, "validation-failed", f"{path}.update_columns[0]")
        assert message == f"expected one of the values ['size', 'title'] for type 'folder_update_column', but found '{column}'"
    owner = """mutation { insert_owner(objects: {id: 1, name: "x"},
        on_conflict: {constraint: owner_pkey, update_columns: [%s]}) { affected_rows } }"""
    assert await done(store, owner % "") == {"insert_owner": {"affected_rows": 0}}
    message = await refused(store, owner % "_PLACEHOLDER", "validation-failed", "$.selectionSet.insert_owner.args.on_conflict")
    assert message == "erroneous column name"
    null = upsert('{owner_id: 1, title: "in"}', f"constraint: {KEY}, update_columns: null")
    await refused(store, null, "validation-failed", f"{path}.update_columns")
    await refused(store, upsert('{owner_id: 1, title: "in"}', "update_columns: [size]"), "validation-failed", f"{path}.constraint")


async def test_columns_and_constraint_may_be_variables(store: Library) -> None:
    query = """mutation ($c: folder_constraint!, $u: [folder_update_column!]!, $size: Int) { insert_folder_one(
        object: {owner_id: 1, title: "in", size: $size}, on_conflict: {constraint: $c, update_columns: $u}) { size title } }"""
    for columns, size in ((["size"], 11), (["title"], 11), (["title", "size"], 12)):
        data = await done(store, query, variables={"c": KEY, "u": columns, "size": size})
        assert data["insert_folder_one"] == {"title": "in", "size": size}


async def test_a_session_variable_of_the_update_filter_has_to_be_there(store: Library) -> None:
    query = """mutation { insert_shop_part_one(object: {code: "p", region: "z", holder: 1},
        on_conflict: {constraint: part_pkey, update_columns: [amount]}) { code } }"""
    message = await refused(store, query, "not-found", "$", Session("user"))
    assert message == 'missing session variable: "x-hasura-user-id"'


async def test_tables_of_other_schemas_and_keys_of_several_columns(store: Library) -> None:
    query = """mutation ($a: numeric!, $r: String!, $h: Int!) { insert_shop_part(
        objects: {code: "p", region: $r, amount: $a, holder: $h},
        on_conflict: {constraint: part_pkey, update_columns: [amount], where: {amount: {_lt: 5}}}) {
        affected_rows returning { amount } } }"""
    assert (await done(store, query, variables={"a": 2, "r": "x", "h": 1}))["insert_shop_part"]["returning"] == [{"amount": 2}]
    # Bob's: the filter passes it over.
    assert (await done(store, query, variables={"a": 2, "r": "y", "h": 1}))["insert_shop_part"]["affected_rows"] == 0
    path = "$.selectionSet.insert_shop_part.args.objects"
    await refused(store, query, "permission-error", path, variables={"a": -1, "r": "x", "h": 1})
    await refused(store, query, "permission-error", path, variables={"a": 1, "r": "new", "h": 2})


async def test_partitioned_tables(store: Library) -> None:
    query = """mutation ($o: [measured_insert_input!]!) { insert_measured(objects: $o,
        on_conflict: {constraint: measured_pkey, update_columns: [amount]}) { affected_rows } }"""
    rows = [{"id": i, "at": at, "amount": 7} for i, at in ((1, "2010-01-01"), (2, "2030-01-01"), (3, "2010-01-01"), (4, "2030-01-01"))]
    assert await done(store, query, variables={"o": rows}) == {"insert_measured": {"affected_rows": 4}}
    path = "$.selectionSet.insert_measured.args.objects"
    for row in rows:
        await refused(store, query, "permission-error", path, variables={"o": [{**row, "amount": 50}]})
    # Nobody knows which of the rows are new: each is held to both checks.
    await refused(store, query, "permission-error", path, variables={"o": [{"id": 5, "at": "2030-01-01", "amount": 50}]})
    await refused(store, query, "permission-error", path, variables={"o": [{"id": 6, "at": "2030-01-01", "amount": 0}]})


async def test_a_table_without_a_key_takes_no_condition(store: Library) -> None:
    query = 'mutation { insert_loud(objects: {id: 5, name: "x", level: 9}, on_conflict: {constraint: x}) { affected_rows } }'
    assert error_in(await store.ask(query, session=ANN), query)["message"] == "'insert_loud' has no argument named 'on_conflict'"


async def test_a_row_can_be_met_once(store: Library) -> None:
    """In Hasura's words, which are not PostgreSQL's: `dmlTxErrorHandler` of `Postgres/Execute/Types.hs` does not expect its class 21."""
    query = upsert('[{owner_id: 1, title: "in"}, {owner_id: 1, title: "in"}]', f"constraint: {KEY}, update_columns: [size]")
    message = await refused(store, query, "unexpected", "$.selectionSet.insert_folder.args.objects")
    assert message == "database query error"
    told = error_in(await store.ask(query), query)["extensions"]["internal"]["error"]
    assert told["message"] == "ON CONFLICT DO UPDATE command cannot affect row a second time"


async def test_a_constraint_that_is_gone(store: Library) -> None:
    """Hasura: `PGUndefinedObject` is expected of a write (`Postgres/Execute/Types.hs`)."""
    await store.pool.execute(f"ALTER TABLE folder DROP CONSTRAINT {KEY}")
    query = upsert('[{owner_id: 1, title: "in"}]', f"constraint: {KEY}, update_columns: [size]")
    message = await refused(store, query, "constraint-error", "$.selectionSet.insert_folder.args.objects")
    assert message == f'constraint "{KEY}" for table "folder" does not exist'
