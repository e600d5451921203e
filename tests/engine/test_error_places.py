"""Where an error is told to lie, and its code, where Hasura's are not what one would guess."""

import pytest

from tests.engine.library import Library
from tests.support.refusals import error_in

ARGS = "$.selectionSet.book.args"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("{ book(order_by: {nope: asc}) { id } }", f"{ARGS}.order_by[0].nope"),
        ("{ book(order_by: [{id: asc}, {nope: asc}]) { id } }", f"{ARGS}.order_by[1].nope"),
        ("{ book(where: {_or: {nope: {}}}) { id } }", f"{ARGS}.where._or[0].nope"),
        ("{ book(distinct_on: nope) { id } }", f"{ARGS}.distinct_on[0]"),
    ],
)
async def test_a_single_value_where_a_list_is_due_lies_in_its_first_place(books: Library, query: str, path: str) -> None:
    error = error_in(await books.ask(query), query)
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("validation-failed", path)


@pytest.mark.anyio
async def test_a_pattern_that_ends_in_its_escape_is_a_bad_request(books: Library) -> None:
    query = "query ($p: String!) { book(where: {title: {_like: $p}}) { id } }"
    error = error_in(await books.ask(query, {"p": "a\\"}), query)
    assert (error["extensions"]["code"], error["extensions"]["path"]) == ("bad-request", "$")
    assert error["message"] == "LIKE pattern must not end with escape character"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "query",
    [
        "{ book { } }",
        "{ }",
        "query { ...f } fragment f on query_root { }",
        "",
        "query {",
        '{ book(where: {title: {_eq: "a}}) { id } }',
        "query { book { id } } type A { b: Int }",
        "type A { b: Int }",
    ],
)
async def test_what_is_no_query_is_told_in_hasuras_sentence(books: Library, query: str) -> None:
    """Hasura: `Test/Queries/Errors/InvalidQuerySpec.hs`, of nothing that is selected, which the draft of GraphQL's next edition allows."""
    error = error_in(await books.ask(query), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.query"}
    assert error["message"] == "not a valid graphql query"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("insert_book(objects: {}, on_conflict: {action: update})", "insert_book.args.on_conflict.action"),
        ("insert_book(objects: {title: null, nope: 1, author: {}})", "insert_book.args.objects[0].nope"),
        ("update_book_many(updates: {nope: {}})", "update_book_many.args.updates[0].nope"),
    ],
)
async def test_what_is_unknown_is_told_before_what_is_missing(books: Library, field: str, path: str) -> None:
    query = f"mutation {{ {field} {{ affected_rows }} }}"
    error = error_in(await books.ask(query), query)
    assert error["extensions"] == {"code": "validation-failed", "path": f"$.selectionSet.{path}"}
    assert error["message"].startswith(f"field '{path.rsplit('.', 1)[-1]}' not found in type: 'book_")
