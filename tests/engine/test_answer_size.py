"""How large an answer may become: to the byte, found where it grows, and a write that answers too much writes nothing."""

import json
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request, Tally
from resolvers.engine import Engine
from resolvers.sql.answer_size import TOO_LARGE, growing_rows
from resolvers.sql.json_values import DIALECT
from tests.engine.library import Library
from tests.support.refusals import code_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

ADMIN = Session("admin")
SHAPES = [
    "{ book_by_pk(id: 1) { title tags } }",
    "{ book { id title } }",
    "{ book(limit: 3, order_by: {id: asc}) { id title } }",
    "{ author { name books { title reviews { stars body } } } }",
    "{ a: author { name books { title } } b: book { id } }",
    "{ book_aggregate { aggregate { count } nodes { title author { name } } } }",
    "{ author { books_aggregate { nodes { id } } } }",
    "{ __typename book { id } }",
]


def engine(books: Library, answer_bytes: int) -> Engine:
    return Engine.build(books.resolved.catalog, books.resolved.roles, Unshared(books.database), limits=Limits(answer_bytes=answer_bytes))


async def ask(engine: Engine, query: str) -> bytes:
    return (await engine.execute(Request(query), ADMIN)).body


@pytest.mark.parametrize("query", SHAPES)
async def test_the_limit_is_exact(books: Library, query: str) -> None:
    body = await ask(books.engine, query)
    assert body.startswith(b'{"data"'), body
    assert await ask(engine(books, len(body)), query) == body
    refused = await code_of(engine(books, len(body) - 1), query)
    assert refused == "answer-too-large"


async def code_of(engine: Engine, query: str) -> str:
    return code_in(json.loads(await ask(engine, query)), query)


async def test_a_list_ends_with_the_row_that_is_too_much(library_url: str) -> None:
    """Made of a hundred thousand rows, it is not gathered first and measured then."""
    connection = await asyncpg.connect(library_url)
    await connection.execute("CREATE TEMPORARY SEQUENCE made")
    series = sa.func.generate_series(1, 100_000).table_valued("n")
    rows = sa.select(sa.func.nextval("made").label("id"), sa.func.repeat("x", 1_000).label("text")).select_from(series).subquery("r")
    statement: Any = sa.select(growing_rows(rows, 50_000, "g")).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    with pytest.raises(asyncpg.InvalidTextRepresentationError, match=TOO_LARGE):
        await connection.fetchval(str(statement))
    assert await connection.fetchval("SELECT last_value FROM made") <= 52
    await connection.close()


async def test_lists_inside_lists_multiply_and_are_refused_soon(fresh_books: Library) -> None:
    await fresh_books.pool.execute("INSERT INTO book (title, author_id) SELECT 'more', 1 FROM generate_series(1, 30)")
    query = "{ book { " + "author { books { " * 6 + "id" + " } }" * 6 + " } }"
    assert await code_of(fresh_books.engine, query) == "answer-too-large"


@pytest.mark.parametrize(
    ("write", "changed"),
    [
        (
            'mutation { update_book(where: {}, _set: {title: "written"}) { returning { title id isbn } } }',
            "SELECT count(*) FROM book WHERE title = 'written'",
        ),
        (
            'mutation { update_book(where: {}, _set: {title: "written"}) { returning { author { books { title } } } } }',
            "SELECT count(*) FROM book WHERE title = 'written'",
        ),
        ("mutation { delete_review(where: {}) { returning { id body stars } } }", "SELECT 4 - count(*) FROM review"),
        (
            "mutation {" + " ".join(f'i{n}: insert_author_one(object: {{name: "{n}{"x" * 60}"}}) {{ id name }}' for n in range(3)) + "}",
            "SELECT count(*) - 3 FROM author",
        ),
    ],
)
async def test_a_write_that_would_answer_too_much_writes_nothing(fresh_books: Library, write: str, changed: str) -> None:
    assert await code_of(engine(fresh_books, 200), write) == "answer-too-large"
    assert await fresh_books.value(changed) == 0


async def test_reads_beside_introspection_share_one_limit(books: Library) -> None:
    query = '{ __type(name: "book") { name } ' + " ".join(f"b{n}: book {{ id title }}" for n in range(5)) + " }"
    size = len(await ask(books.engine, "{ book { id title } }"))
    assert await code_of(engine(books, 3 * size), query) == "answer-too-large"
    assert b'"errors"' not in await ask(engine(books, 5 * size), query)


async def test_the_members_of_a_batch_share_one_limit(books: Library) -> None:
    size = len(await ask(books.engine, "{ book { id title } }"))
    limited, tally = engine(books, 2 * size), Tally()
    bodies = [(await limited.execute(Request("{ book { id title } }", tally=tally), ADMIN)).body for _ in range(5)]
    assert [b'"answer-too-large"' in body for body in bodies] == [False, False, False, True, True]


async def test_many_lists_side_by_side_are_small_each(books: Library) -> None:
    query = "{ " + " ".join(f"b{n}: book {{ id title }}" for n in range(40)) + " }"
    size = len(await ask(books.engine, "{ book { id title } }"))
    assert await code_of(engine(books, 2 * size), query) == "answer-too-large"
    assert b'"errors"' not in await ask(engine(books, 41 * size), query)
