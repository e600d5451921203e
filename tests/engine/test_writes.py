"""Inserts, updates and deletes: who may write what, and that a refused request leaves nothing behind."""

from typing import Any

import pytest

from tests.engine.library import Library, session_of
from tests.support.refusals import error_in

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
LIBRARIAN = session_of({"x-hasura-role": "librarian", "x-hasura-branch-id": "1"})
TABLES = ("branch", "member", "author", "book", "loan", "review", "audit_log")


async def dump(books: Library) -> dict[str, Any]:
    return {table: await books.value(f"SELECT json_agg(t ORDER BY t.id)::text FROM {table} t") for table in TABLES}


async def refused(books: Library, query: str, code: str, path: str, session: Any = None, variables: Any = None) -> str:
    """The message of the one error; nothing has changed."""
    before = await dump(books)
    answer = await books.ask(query, variables, session=session)
    assert await dump(books) == before
    error = error_in(answer, query)
    assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path)
    return str(error["message"])


@pytest.mark.anyio
async def test_absent_columns_take_their_default_and_null_is_written(fresh_books: Library) -> None:
    query = (
        """mutation ($o: [loan_insert_input!]!) { insert_loan(objects: $o) { affected_rows returning { copies due_on book { title } } } }"""
    )
    rows = [{"book_id": 1, "member_id": 1, "copies": 3, "due_on": "2024-05-01"}, {"book_id": 3, "member_id": 2, "due_on": None}]
    answer = await fresh_books.ask(query, {"o": rows})
    returning = [
        {"copies": 3, "due_on": "2024-05-01", "book": {"title": "Peer Gynt"}},
        {"copies": 1, "due_on": None, "book": {"title": "Kristin"}},
    ]
    assert answer == {"data": {"insert_loan": {"affected_rows": 2, "returning": returning}}}


@pytest.mark.anyio
async def test_a_row_of_defaults(fresh_books: Library) -> None:
    message = await refused(
        fresh_books,
        "mutation { insert_author_one(object: {}) { id } }",
        "constraint-violation",
        "$.selectionSet.insert_author_one.args.object",
    )
    assert message.startswith("Not-NULL violation.")


@pytest.mark.anyio
async def test_json_numbers_and_text_arrive_as_written(fresh_books: Library) -> None:
    tags = {"a": [1, {"b": None}], "q": "\"\\ '"}
    query = "mutation ($t: jsonb, $p: numeric) { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: $t, price: $p}) { tags price } }"
    answer = await fresh_books.ask(query, {"t": tags, "p": "19.10"})
    assert answer == {"data": {"update_book_by_pk": {"tags": tags, "price": 19.1}}}
    literal = 'mutation ($x: Int) { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: {k: [$x, "y", 2.50]}}) { tags } }'
    assert (await fresh_books.ask(literal, {"x": 4}))["data"]["update_book_by_pk"] == {"tags": {"k": [4, "y", 2.5]}}
    assert (await fresh_books.ask(literal, {"x": 5}))["data"]["update_book_by_pk"] == {"tags": {"k": [5, "y", 2.5]}}


@pytest.mark.anyio
async def test_an_update_writes_only_what_its_filter_lets_through(fresh_books: Library) -> None:
    query = 'mutation { update_member(where: {}, _set: {name: "Bea"}) { affected_rows returning { id name } } }'
    answer = await fresh_books.ask(query, session=PATRON)
    assert answer == {"data": {"update_member": {"affected_rows": 1, "returning": [{"id": 2, "name": "Bea"}]}}}
    assert await fresh_books.value("SELECT note_internal FROM member WHERE id = 2") == "self-edited"
    before = await dump(fresh_books)
    other = await fresh_books.ask('mutation { update_member_by_pk(pk_columns: {id: 1}, _set: {name: "x"}) { id } }', session=PATRON)
    assert other == {"data": {"update_member_by_pk": None}}
    assert await dump(fresh_books) == before


@pytest.mark.anyio
async def test_the_check_sees_the_row_after_the_update(fresh_books: Library) -> None:
    await refused(fresh_books, 'mutation { update_member(where: {}, _set: {name: ""}) { affected_rows } }', "permission-error", "$", PATRON)


@pytest.mark.anyio
async def test_an_unknown_check_refuses(fresh_books: Library) -> None:
    """`stock >= 0` over a null is neither true nor false; Hasura would let it pass."""
    await fresh_books.pool.execute("ALTER TABLE book ALTER COLUMN stock DROP NOT NULL, ALTER COLUMN stock DROP DEFAULT")
    query = 'mutation { insert_book(objects: [{title: "T", author_id: 1}]) { affected_rows } }'
    await refused(fresh_books, query, "permission-error", "$.selectionSet.insert_book.args.objects", LIBRARIAN)


@pytest.mark.anyio
async def test_nothing_to_set_writes_nothing(fresh_books: Library) -> None:
    before = await dump(fresh_books)
    by_pk = "one: update_book_by_pk(pk_columns: {id: 1}) { id }"
    query = f"mutation {{ update_book(where: {{}}, _set: {{}}) {{ affected_rows returning {{ id }} }} {by_pk} }}"
    assert await fresh_books.ask(query) == {"data": {"update_book": {"affected_rows": 0, "returning": []}, "one": None}}
    assert await dump(fresh_books) == before


@pytest.mark.anyio
async def test_deletes_filter_and_answer_with_the_row_as_it_was(fresh_books: Library) -> None:
    mine = "a0000000-0000-4000-8000-000000000003"
    query = "mutation ($id: uuid!) { delete_review_by_pk(id: $id) { stars book { title } } }"
    assert await fresh_books.ask(query, {"id": mine}, session=PATRON) == {
        "data": {"delete_review_by_pk": {"stars": 4, "book": {"title": "Kristin"}}}
    }
    others = "a0000000-0000-4000-8000-000000000002"
    assert await fresh_books.ask(query, {"id": others}, session=PATRON) == {"data": {"delete_review_by_pk": None}}
    assert await fresh_books.value("SELECT count(*) FROM review") == 3


@pytest.mark.anyio
async def test_several_writes_are_one_transaction(fresh_books: Library) -> None:
    one = 'insert_author(objects: [{name: "%s"}]) { affected_rows }'
    query = "mutation {{ __typename a: {} b: {} }}".format(one % "Lie", one % "Ibsen")
    await refused(fresh_books, query, "constraint-violation", "$.selectionSet.insert_author.args.objects")
    query = 'mutation { __typename a: %s update_author(where: {name: {_eq: "Lie"}}, _set: {bio: "new"}) { returning { bio } } }' % (
        one % "Lie"
    )
    answer = await fresh_books.ask(query)
    assert answer["data"] == {"__typename": "mutation_root", "a": {"affected_rows": 1}, "update_author": {"returning": [{"bio": "new"}]}}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "path", "text"),
    [
        (
            "mutation { update_book(_set: {stock: 1}) { affected_rows } }",
            "$.selectionSet.update_book.args.where",
            "missing required field 'where'",
        ),
        ("mutation { update_book(where: null) { affected_rows } }", "$.selectionSet.update_book.args.where", "found null"),
        (
            "mutation { update_book_by_pk(pk_columns: {}) { id } }",
            "$.selectionSet.update_book_by_pk.args.pk_columns.id",
            "missing required field 'id'",
        ),
        (
            "mutation { insert_book(objects: [null]) { affected_rows } }",
            "$.selectionSet.insert_book.args.objects[0]",
            "found null",
        ),
        ("mutation { insert_book(objects: 3) { affected_rows } }", "$.selectionSet.insert_book.args.objects[0]", "expected an object"),
        ("mutation { delete_book { affected_rows } }", "$.selectionSet.delete_book.args.where", "missing required field 'where'"),
        ("mutation { delete_book(where: {_or: null}) { affected_rows } }", "$.selectionSet.delete_book.args.where._or", "found null"),
        (
            "mutation { delete_book(where: {id: null}) { affected_rows } }",
            "$.selectionSet.delete_book.args.where.id",
            "found null",
        ),
        (
            "mutation { delete_book(where: {id: {_eq: 1.5}}) { affected_rows } }",
            "$.selectionSet.delete_book.args.where.id._eq",
            "not an integer",
        ),
        ("mutation { insert_book { affected_rows } }", "$.selectionSet.insert_book.args.objects", "missing required field 'objects'"),
        ("mutation { insert_book(objects: []) }", "$.selectionSet.insert_book", "missing selection set"),
        (
            "mutation { insert_book(objects: []) { affected_rows { x } } }",
            "$.selectionSet.insert_book.selectionSet.affected_rows",
            "unexpected subselection",
        ),
    ],
)
async def test_bad_input_is_refused_at_its_place(fresh_books: Library, query: str, path: str, text: str) -> None:
    code = "parse-failed" if "1.5" in query else "validation-failed"
    assert text in await refused(fresh_books, query, code, path)


async def raising(books: Library, statement: str) -> None:
    """From now on an insert of an author raises it, in a trigger."""
    body = f"BEGIN {statement}; END"
    await books.pool.execute(f"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    await books.pool.execute("CREATE TRIGGER refuse BEFORE INSERT ON author FOR EACH ROW EXECUTE FUNCTION refuse()")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("statement", "code", "message"),
    [
        ("RAISE integrity_constraint_violation USING MESSAGE = 'seats are sold out'", "constraint-violation", "seats are sold out"),
        ("RAISE 'seats are sold out' USING ERRCODE = '23U01'", "constraint-violation", "seats are sold out"),
        ("RAISE unique_violation USING MESSAGE = 'taken'", "constraint-violation", "Uniqueness violation. taken"),
        ("RAISE 'no such seat' USING ERRCODE = '22U01'", "data-exception", "no such seat"),
        ("RAISE serialization_failure USING MESSAGE = 'hush'", "unexpected", "database query error"),
        ("RAISE deadlock_detected USING MESSAGE = 'hush'", "unexpected", "database query error"),
    ],
)
async def test_what_a_trigger_raises(fresh_books: Library, statement: str, code: str, message: str) -> None:
    """Hasura: `mkTxErrorHandler` and `dmlTxErrorHandler` of `Postgres/Execute/Types.hs`."""
    await raising(fresh_books, statement)
    query = 'mutation { insert_author(objects: [{name: "Lie"}]) { affected_rows } }'
    assert await refused(fresh_books, query, code, "$.selectionSet.insert_author.args.objects") == message


@pytest.mark.anyio
async def test_errors_of_the_database_keep_their_secrets(fresh_books: Library, capsys: pytest.CaptureFixture[str]) -> None:
    await raising(fresh_books, "RAISE EXCEPTION 'hush'")
    query = 'mutation { insert_author(objects: [{name: "confidential"}]) { affected_rows } }'
    message = await refused(fresh_books, query, "unexpected", "$.selectionSet.insert_author.args.objects")
    assert message == "database query error"
    logged = capsys.readouterr().out
    assert "P0001" in logged
    assert "confidential" not in logged
    assert "hush" not in logged
