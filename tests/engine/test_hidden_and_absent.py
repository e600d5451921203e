"""A value that PostgreSQL refuses is refused whatever the tables hold: the error never tells of a row that is hidden."""

from typing import Any

import pytest

from tests.engine.library import Library, session_of
from tests.support.refusals import code_in, error_in

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
HIDDEN, ABSENT = 4, 4_000
REFUSED = [
    ("published_on: {_eq: $v}", "date", "1890-06-01", "June"),
    ("title: {_regex: $v}", "String", "H", "("),
    ("title: {_nsimilar: $v}", "String", "H", "("),
    ("title: {_like: $v}", "String", "H", "H\\"),
    ("title: {_nilike: $v}", "String", "H", "hun\\gER\\"),
    ("price: {_in: [1, $v]}", "numeric!", 2, "much"),
    ("tags: {_contains: $v}", "jsonb", {"a": 1}, {"a": "\0"}),
    ("author: {id: {_gt: $v}}", "Int", 1, "one"),
    ("_not: {reviews: {id: {_eq: $v}}}", "uuid", "a0000000-0000-4000-8000-000000000001", "a0"),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("condition", "type_", "good", "bad"), REFUSED)
async def test_a_bad_value_tells_nothing(condition: str, type_: str, good: Any, bad: Any, books: Library) -> None:
    query = f"query ($id: Int!, $v: {type_}) {{ book(where: {{id: {{_eq: $id}}, {condition}}}) {{ id }} }}"
    # PostgreSQL reads values while it plans, until it has a plan for all of them.
    for _ in range(8):
        assert await books.ask(query, {"id": HIDDEN, "v": good}, session=PATRON) == {"data": {"book": []}}
    hidden = await books.ask(query, {"id": HIDDEN, "v": bad}, session=PATRON)
    absent = await books.ask(query, {"id": ABSENT, "v": bad}, session=PATRON)
    assert hidden == absent
    code = "bad-request" if str(bad).endswith("\\") else "data-exception"
    assert error_in(hidden, query)["extensions"] == {"code": code, "path": "$"}


@pytest.mark.anyio
async def test_a_bad_key_is_refused_by_an_empty_table_too(fresh_books: Library) -> None:
    await fresh_books.pool.execute("TRUNCATE review")
    query = '{ review_by_pk(id: "a0") { id } }'
    assert code_in(await fresh_books.ask(query, session=PATRON), query) == "data-exception"
