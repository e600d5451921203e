"""What has a name is there once: the five rules of the specification that say so, in Hasura's words and places.

Arguments and fields of objects are read by name, so one that comes twice is bad syntax, also where nobody looks (`Draft/Parser.hs`);
variables are counted when an operation is resolved (`Execute/Resolve.hs`), directives where they stand (`Parser/Directives.hs`, tested in
`test_directives.py` with fragments). Of two operations with one name the first is meant (`HTTP/Protocol.hs`).
"""

import pytest

from tests.engine.library import Library
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

TWICE = [
    "{ book(limit: 1, limit: 2) { id } }",
    "{ book(where: {id: {_eq: 1}, id: {_eq: 2}}) { id } }",
    "{ book(where: {id: {_eq: 1, _eq: 1}}) { id } }",
    "{ book { id @include(if: true, if: false) } }",
    'mutation { insert_author(objects: [{name: "a", name: "b"}]) { affected_rows } }',
    'mutation { insert_author(objects: {name: "a"}, objects: {name: "b"}) { affected_rows } }',
    'mutation { update_author(where: {}, _set: {name: "a", name: "a"}) { affected_rows } }',
    "query ($w: book_bool_exp = {id: {_eq: 1}, id: {_eq: 2}}) { book(where: $w) { id } }",
    # Nobody runs these, and a document is read as a whole.
    "query a { book { id } } query b { book(limit: 1, limit: 1) { id } }",
    "query a { book { id } } fragment f on author { books(limit: 1, limit: 1) { id } }",
]  # fmt: skip


@pytest.mark.parametrize("query", TWICE)
async def test_arguments_and_fields_of_objects(fresh_books: Library, query: str) -> None:
    authors = "SELECT count(*) || string_agg(name, ',' ORDER BY id) FROM author"
    before = await fresh_books.value(authors)
    error = error_in(await fresh_books.ask(query, name="a" if query.startswith("query a") else None), query)
    assert error["message"] == "not a valid graphql query"
    assert error["extensions"] == {"code": "validation-failed", "path": "$.query"}
    assert await fresh_books.value(authors) == before


async def test_variables(books: Library) -> None:
    query = "query ($l: Int, $l: Int) { book(limit: $l) { id } }"
    error = error_in(await books.ask(query, {"l": 1}), query)
    assert error["message"] == 'multiple definitions for variable "l"'
    assert error["extensions"] == {"code": "parse-failed", "path": "$"}
    # One that is not run may have what it likes.
    other = "query a { book_by_pk(id: 1) { id } } query b($l: Int, $l: Int) { book(limit: $l) { id } }"
    assert await books.ask(other, name="a") == {"data": {"book_by_pk": {"id": 1}}}


async def test_operations(books: Library) -> None:
    query = "query a { book_by_pk(id: 1) { id } } query a { book_by_pk(id: 2) { id } }"
    assert await books.ask(query, name="a") == {"data": {"book_by_pk": {"id": 1}}}
    assert error_in(await books.ask(query), query)["extensions"]["code"] == "validation-failed"


async def test_the_same_name_in_different_places_is_no_matter(books: Library) -> None:
    query = "{ book(where: {_and: [{id: {_eq: 1}}, {id: {_eq: 1}}]}) { id author { id } } one: book(limit: 0) { id } }"
    assert await books.ask(query) == {"data": {"book": [{"id": 1, "author": {"id": 1}}], "one": []}}
