"""How large an answer may become: to the byte, found where it grows, and a write that answers too much writes nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from permissions.compiling.select_text import subselect
from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request, Tally
from resolvers.engine import Engine
from resolvers.sql.size.answer_size import FEW, TOO_LARGE
from resolvers.sql.size.list_text import growing_rows
from schema.sql_types import DIALECT
from tests.engine.authors import metadata, opened_with
from tests.engine.library import Library, session_of, suite
from tests.support.databases import Databases
from tests.support.refusals import code_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

ADMIN = Session("admin")
PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
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
    return Engine.build(
        books.resolved.catalog,
        books.resolved.roles,
        Unshared(books.database),
        limits=Limits(answer_bytes=answer_bytes, admin_answer_bytes=answer_bytes),
    )


async def test_admin_has_a_limit_of_its_own(books: Library) -> None:
    limits = Limits(answer_bytes=40, admin_answer_bytes=4_000)
    limited = Engine.build(books.resolved.catalog, books.resolved.roles, Unshared(books.database), limits=limits)
    request = Request("{ book(limit: 3) { title } }")
    assert (await limited.execute(request, ADMIN)).refusal is None
    refused = (await limited.execute(request, PATRON)).refusal
    assert refused is not None
    assert refused.code == "answer-too-large"
    assert await code_of(limited, "{ book { " + " ".join(f"a{n}: title" for n in range(200)) + " } }") == "answer-too-large"


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
    rows = subselect("r", [("id", sa.func.nextval("made")), ("text", sa.func.repeat("x", 1_000))], series)
    statement: Any = sa.select(growing_rows(rows, 50_000, "g")).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True})
    with pytest.raises(asyncpg.InvalidTextRepresentationError, match=TOO_LARGE):
        await connection.fetchval(str(statement))
    assert await connection.fetchval("SELECT last_value FROM made") <= 52
    await connection.close()


@pytest.mark.parametrize("row", ["s: stars", "s: stars t: stars", "stars"])
async def test_a_sorted_list_is_whole_or_refused_but_never_cut(fresh_books: Library, row: str) -> None:
    """It has a LIMIT of as many rows as could fit in its part, and the last of those is one too much."""
    await fresh_books.pool.execute("TRUNCATE review")
    beside = " ".join(f"r{number}: review(where: {{stars: {{_lt: 0}}}}) {{ stars }}" for number in range(40))
    query = f"{{ all: review(order_by: {{stars: asc}}) {{ {row} }} {beside} }}"
    limited, whole = engine(fresh_books, 65_536), 0
    for rows in range(100, 6_001, 100):
        await fresh_books.pool.execute("INSERT INTO review (book_id, stars) SELECT 1, 1 + n % 5 FROM generate_series(1, 100) n")
        answer = json.loads(await ask(limited, query))
        if "data" not in answer:
            assert code_in(answer, query) == "answer-too-large"
            assert whole >= 1_000, "a list of this size is told"
            return
        whole = len(answer["data"]["all"])
        assert whole == rows
    pytest.fail("nothing was refused")


@pytest.mark.parametrize("rows", [0, 1, FEW - 1, FEW, FEW + 1, 3 * FEW])
async def test_a_list_of_texts_inside_a_row_is_whole_however_many_there_are(fresh_books: Library, rows: int) -> None:
    """The first ones are gathered apart from the rest."""
    await fresh_books.pool.execute("DELETE FROM review WHERE book_id = 1")
    insert = "INSERT INTO review (book_id, stars, body) SELECT 1, 5, lpad(n::text, 3, '0') FROM generate_series(1, $1) n"
    await fresh_books.pool.execute(insert, rows)
    got = await fresh_books.ask("{ book_by_pk(id: 1) { reviews(order_by: {body: asc}) { body } } }")
    assert [review["body"] for review in got["data"]["book_by_pk"]["reviews"]] == [f"{n:03}" for n in range(1, rows + 1)]


async def test_few_rows_of_which_one_is_long_are_whole_and_counted(fresh_books: Library) -> None:
    long = 100_000
    await fresh_books.pool.execute("UPDATE review SET body = repeat('x', $1) WHERE book_id = 1 AND stars = 3", long)
    query = "{ book_by_pk(id: 1) { reviews(order_by: {stars: asc}) { body } } }"
    body = await ask(engine(fresh_books, 2 * long), query)
    assert len(json.loads(body)["data"]["book_by_pk"]["reviews"][0]["body"]) == long
    assert await ask(engine(fresh_books, len(body)), query) == body
    assert await code_of(engine(fresh_books, len(body) - 1), query) == "answer-too-large"


@pytest.fixture
async def long_book(fresh_books: Library) -> AsyncIterator[Library]:
    """The first book has a title and tags of 60 MiB each."""
    long = "SET title = 'z' || repeat('x', 60 << 20), tags = to_jsonb(repeat('x', 60 << 20))"
    await fresh_books.pool.execute(f"UPDATE book {long} WHERE id = 1")
    yield fresh_books
    await fresh_books.pool.execute(suite()["setup_sql"])


@pytest.mark.parametrize(
    ("query", "again"),
    [
        ("{ book(limit: 1, where: {id: {_eq: 1}}) { # } }", "a#: title"),
        ("{ book_by_pk(id: 1) { id # } }", "a#: tags"),
        ("{ book_by_pk(id: 1) { # } }", "a#: title b#: tags"),
        ("{ # }", "a#: book_by_pk(id: 1) { title }"),
        ("{ review(limit: 1, where: {book_id: {_eq: 1}}) { # } }", "a#: book { title }"),
        ("{ book_aggregate { aggregate { # } } }", "a#: max { title }"),
        ("{ author_by_pk(id: 1) { books(where: {id: {_eq: 1}}) { # } } }", "a#: title"),
        ("mutation { update_book_by_pk(pk_columns: {id: 1}, _set: {pages: 3}) { # } }", "a#: title"),
        ("mutation { update_book(where: {id: {_eq: 1}}, _set: {pages: 3}) { returning { # } } }", "a#: title"),
    ],
)
async def test_what_one_row_would_copy_again_and_again_is_refused_before(long_book: Library, query: str, again: str) -> None:
    """PostgreSQL itself can't make these answers: it refuses what is longer than a GiB."""
    asked = query.replace("#", " ".join(again.replace("#", str(number)) for number in range(20)))
    assert await code_of(long_book.engine, asked) == "answer-too-large"


@pytest.mark.parametrize(
    "query",
    [
        # Few rows, each of them led to the same long one.
        "{ review(limit: 900) { book { title } } }",
        "{ review(limit: 1, where: {book_id: {_eq: 1}}) { " + " ".join(f"a{n}: book {{ title }}" for n in range(16)) + " } }",
        "{ " + " ".join(f"a{n}: book_by_pk(id: 1) {{ title }}" for n in range(16)) + " }",
    ],
)
async def test_related_rows_are_measured_before_they_are_gathered(long_book: Library, query: str) -> None:
    """PostgreSQL would gather more than it can hold, and say so in its own words."""
    await long_book.pool.execute("INSERT INTO review (book_id, member_id, stars) SELECT 1, 1, 3 FROM generate_series(1, 18)")
    assert await code_of(long_book.engine, query) == "answer-too-large"


async def test_computed_values_are_measured_before_they_are_gathered(databases: Databases, tmp_path: Path) -> None:
    document = metadata({})
    computed = {"name": "long_text", "definition": {"function": {"schema": "public", "name": "long_text"}}}
    document["sources"][0]["tables"][0]["computed_fields"] = [computed]
    long = """
    CREATE FUNCTION long_text(author author_local) RETURNS text LANGUAGE sql STABLE AS $$ SELECT repeat('x', 40 << 20) $$;
    INSERT INTO author_local (full_name) SELECT n::text FROM generate_series(1, 25) n;
    """
    async with opened_with(databases, tmp_path, document, long) as opened:
        for query in (
            "{ author_local(limit: 900) { id long_text } }",
            "{ author_local(limit: 1) { written_articles(limit: 900) { written_by { long_text } } } }",
        ):
            assert await code_of(opened.engine, query) == "answer-too-large"


async def test_a_column_that_is_asked_for_twice_is_the_same_as_once(books: Library) -> None:
    got = await books.ask("{ book(order_by: {id: asc}) { id a: title b: title c: tags title d: tags e: isbn f: isbn } }")
    assert "errors" not in got, got
    once = await books.ask("{ book(order_by: {id: asc}) { title tags isbn } }")
    for twice, row in zip(got["data"]["book"], once["data"]["book"], strict=True):
        assert twice["a"] == twice["b"] == twice["title"] == row["title"]
        assert (twice["c"], twice["e"]) == (twice["d"], twice["f"]) == (row["tags"], row["isbn"])


async def test_rows_side_by_side_that_share_a_limit_are_what_they_are(books: Library) -> None:
    many = await books.ask("{ " + " ".join(f"a{n}: book_by_pk(id: {n % 3}) {{ title author {{ name }} }}" for n in range(20)) + " }")
    assert "errors" not in many, many
    assert many["data"]["a0"] is None
    assert many["data"]["a1"] == many["data"]["a19"]
    assert many["data"]["a1"]["author"]["name"]


async def test_lists_inside_lists_multiply_and_are_refused_soon(fresh_books: Library) -> None:
    await fresh_books.pool.execute("INSERT INTO book (title, author_id) SELECT 'more', 1 FROM generate_series(1, 30)")
    query = "{ book { " + "author { books { " * 6 + "id" + " } }" * 6 + " } }"
    assert await code_of(engine(fresh_books, 4 << 20), query) == "answer-too-large"


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
