"""What a mutation returns beyond the rows it wrote is as it is afterwards: what it wrote is in it, and what its triggers added."""

from typing import Any

import pytest

from tests.engine.library import Library, session_of
from tests.support.refusals import code_in

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
TRIGGER = """
CREATE OR REPLACE FUNCTION welcome() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO review (book_id, stars, body, approved) VALUES (NEW.id, 5, 'new', true); RETURN NULL; END $$;
CREATE TRIGGER welcome AFTER INSERT ON book FOR EACH ROW EXECUTE FUNCTION welcome();
"""


async def data(books: Library, query: str, **more: Any) -> Any:
    answer = await books.ask(query, **more)
    assert "errors" not in answer, answer
    (value,) = answer["data"].values()
    return value


@pytest.mark.anyio
async def test_relationships_see_what_was_written(fresh_books: Library) -> None:
    move = "mutation { update_book_by_pk(pk_columns: {id: 1}, _set: {author_id: 2}) { id author { books(order_by: {id: asc}) { id } } } }"
    assert await data(fresh_books, move) == {"id": 1, "author": {"books": [{"id": 1}, {"id": 3}]}}
    both = """mutation { update_book(where: {author_id: {_eq: 3}}, _set: {pages: 7}) {
        affected_rows returning { id author { books_aggregate { aggregate { sum { pages } } } } } } }"""
    answer = await data(fresh_books, both)
    assert answer["affected_rows"] == 2
    assert [row["author"]["books_aggregate"]["aggregate"]["sum"]["pages"] for row in answer["returning"]] == [14, 14]


@pytest.mark.anyio
async def test_what_a_trigger_adds_is_seen(fresh_books: Library) -> None:
    await fresh_books.pool.execute(TRIGGER)
    insert = 'mutation { insert_book_one(object: {title: "New", author_id: 1, price: 19.50}) { title price tags reviews { body } } }'
    assert await data(fresh_books, insert) == {"title": "New", "price": 19.5, "tags": {}, "reviews": [{"body": "new"}]}


@pytest.mark.anyio
async def test_what_is_deleted_still_knows_its_parent(fresh_books: Library) -> None:
    delete = "mutation { delete_loan(where: {book_id: {_eq: 3}}) { affected_rows returning { book { title loans { id } } } } }"
    answer = await data(fresh_books, delete)
    assert answer == {"affected_rows": 2, "returning": [{"book": {"title": "Kristin", "loans": []}}] * 2}
    nothing = "mutation { delete_loan(where: {id: {_eq: 99}}) { affected_rows returning { book { id } } } }"
    assert await data(fresh_books, nothing) == {"affected_rows": 0, "returning": []}


@pytest.mark.anyio
async def test_an_error_beyond_the_rows_undoes_them(fresh_books: Library) -> None:
    insert = 'mutation { insert_book_one(object: {title: "New", author_id: 1}) { reviews(where: {id: {_eq: "a0"}}) { id } } }'
    assert code_in(await fresh_books.ask(insert), insert) == "data-exception"
    assert await fresh_books.value("SELECT count(*) FROM book") == 5


@pytest.mark.anyio
async def test_permissions_hold_beyond_the_rows(fresh_books: Library) -> None:
    await fresh_books.pool.execute("INSERT INTO review (book_id, stars, body) VALUES (1, 1, 'hidden')")
    insert = """mutation { insert_review_one(object: {book_id: 1, stars: 3}) {
        stars book { id reviews(order_by: {stars: asc}) { stars member { id } } } } }"""
    answer = await fresh_books.ask(insert, session=PATRON)
    assert "errors" not in answer, answer
    reviews = answer["data"]["insert_review_one"]["book"]["reviews"]
    assert [review["stars"] for review in reviews] == [3, 3, 5]
    assert {"id": 3} not in [review["member"] for review in reviews]
