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
