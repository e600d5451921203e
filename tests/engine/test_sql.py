"""The SQL of a few shapes, whole: the diff of `sql/` shows what a change of the compiler does. `UPDATE_GOLDEN=1` rewrites them."""

import os
from pathlib import Path
from typing import Any

import pytest

from resolvers.documents.request import Request
from tests.engine.library import Library, session_of
from tests.support.plans import statement_of

GOLDEN = Path(__file__).parent / "sql"
PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})

SHAPES = {
    "by_pk": "query ($id: Int!) { book_by_pk(id: $id) { __typename title author { name } } }",
    "page_with_related_rows": """query ($w: book_bool_exp!) {
        book(where: $w, order_by: [{author: {name: asc}}, {id: desc}], limit: 10, offset: 5) {
            id reviews(where: {stars: {_gte: 3}}, limit: 2) { stars member { name } } } }""",
    "aggregate": """query { book_aggregate(distinct_on: author_id, limit: 3) {
        aggregate { count(columns: pages, distinct: true) max { pages price } } nodes { id } } }""",
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", SHAPES)
async def test_sql(name: str, books: Library) -> None:
    variables: dict[str, dict[str, Any]] = {"id": {"id": 1}, "w": {"w": {"title": {"_like": "%e%"}, "id": {"_in": [1, 2]}}}}
    given = next((value for key, value in variables.items() if f"${key}:" in SHAPES[name]), {})
    sql, arguments = await statement_of(books.engine, Request(SHAPES[name], given), PATRON)
    text = "\n".join(line.rstrip() for line in sql.splitlines()) + f"\n-- {arguments}\n"
    golden = GOLDEN / f"{name}.sql"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()
