"""What PostgreSQL holds at once for an answer: no more than some answers, whatever is asked for side by side."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from permissions.session import Session
from resolvers.documents.limits import Limits
from resolvers.documents.request import Request
from resolvers.engine import Engine
from resolvers.sql.size.widths import is_long
from tests.engine.authors import metadata, opened_with
from tests.engine.library import Library
from tests.support.databases import Databases
from tests.support.refusals import code_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

ADMIN = Session("admin")
# Three hundred authors, each with an article; every long value is a MiB, of which PostgreSQL stores some KB.
LONG = """
ALTER TABLE author_local ADD COLUMN note varchar, ADD COLUMN code varchar(20), ADD COLUMN initial char(2), ADD COLUMN doc json;
ALTER TABLE article_local ADD COLUMN body text, ADD COLUMN "no name" text, ADD COLUMN number numeric, ADD COLUMN line varchar(1000);
INSERT INTO author_local (full_name) SELECT n::text FROM generate_series(3, 300) n;
UPDATE author_local SET note = repeat('n', 1 << 20), doc = json_build_object('k', repeat('d', 1 << 20), 'short', id);
INSERT INTO article_local (author_id) SELECT id FROM author_local;
UPDATE article_local SET body = repeat('b', 1 << 20), number = '1e131000', line = repeat(chr(1), 1000);
CREATE FUNCTION long_text(author author_local) RETURNS text LANGUAGE sql STABLE AS $$ SELECT repeat(left(author.full_name, 1), 1 << 20) $$;
CREATE FUNCTION short_text(author author_local) RETURNS text LANGUAGE sql STABLE AS 'SELECT author.full_name';
CREATE FUNCTION first_articles(author author_local) RETURNS SETOF article_local LANGUAGE sql STABLE
    AS 'SELECT * FROM article_local WHERE id = 1';
CREATE FUNCTION body_length(article article_local) RETURNS int LANGUAGE sql STABLE AS 'SELECT length(article.body)';
ANALYZE;
-- In KB, for connections from now on: what would take more of the disk ends.
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET temp_file_limit = 65536', current_database()); END $$;
"""


def computed(name: str) -> dict[str, Any]:
    return {"name": name, "definition": {"function": {"schema": "public", "name": name}}}


@pytest.fixture
async def long_authors(databases: Databases, tmp_path: Path) -> AsyncIterator[Library]:
    document = metadata({})
    authors, articles, *_ = document["sources"][0]["tables"]
    authors["computed_fields"] = [computed("long_text"), computed("short_text"), computed("first_articles")]
    articles["computed_fields"] = [computed("body_length")]
    async with opened_with(databases, tmp_path, document, LONG) as opened:
        yield opened


def limited(authors: Library, answer_bytes: int) -> Engine:
    limits = Limits(answer_bytes=answer_bytes, admin_answer_bytes=answer_bytes)
    return Engine.build(authors.resolved.catalog, authors.resolved.roles, Unshared(authors.database), limits=limits)


async def body_of(engine: Engine, query: str) -> bytes:
    return (await engine.execute(Request(query), ADMIN)).body


async def ask(engine: Engine, query: str) -> Any:
    return json.loads(await body_of(engine, query))


def again(times: int, text: str) -> str:
    """The text so many times, each with a number in place of `#`."""
    return " ".join(text.replace("#", str(number)) for number in range(times))


LONG_KEY = "k#_" + "k" * 600 + ": "
PATHS = again(300, 'd#: doc(path: "$.none#")')
LISTS = again(16, "l#: written_articles { body }")


async def most_held(authors: Library) -> int:
    """The bytes that the largest of the database's processes has held so far (`VmHWM` of proc_pid_status)."""
    rows = await authors.pool.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    states = [Path(f"/proc/{row['pid']}/status").read_text() for row in rows]
    return max(int(line.split()[1]) * 1024 for state in states for line in state.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize(
    "query",
    [
        "{ author_local_aggregate(limit: 3) { " + again(200, "n#: nodes { note }") + " } }",
        "{ " + again(16, f"r#: author_local_by_pk(id: 1) {{ {LISTS} }}") + " }",
        "{ article_local(limit: 1) { " + again(16, f"r#: written_by {{ {LISTS} }}") + " } }",
        "{ author_local_by_pk(id: 1) { " + again(400, "a#: long_text") + " } }",
        "{ author_local(limit: 1) { " + again(400, "a#: long_text") + " } }",
        "mutation { update_author_local_by_pk(pk_columns: {id: 1}, _set: {tags: null}) { " + again(400, "a#: long_text") + " } }",
        "{ author_local(limit: 600) { id first_articles { body } } }",
        "{ author_local(limit: 600) { id written_articles_aggregate { aggregate { max { body } } } } }",
        "{ article_local_aggregate { " + again(300, "a#: aggregate { max { body } }") + " } }",
        "{ " + again(300, "a#: article_local_aggregate(where: {id: {_lte: 3}}) { aggregate { max { body } } }") + " }",
        "{ author_local(limit: 600) { id note } }",
        "{ article_local(limit: 600) { id written_by { note } } }",
        "{ article_local(limit: 600) { " + again(8, "n#: number") + " } }",
        "{ author_local(limit: 600) { first_articles(limit: 1) { " + again(200, "l#: line") + " } } }",
        "{ author_local(limit: 600) { written_articles_aggregate { aggregate { " + again(1_500, LONG_KEY + "count") + " } } } }",
        "{ author_local(limit: 600) { " + again(2_000, LONG_KEY + "id") + " } }",
        "{ author_local(limit: 1) { " + PATHS + " } }",
        "{ author_local(limit: 1) { doc " + again(300, 'd#: doc(path: "$.short")') + " } }",
        "{ article_local(limit: 1) { " + again(300, 'r#: written_by { doc(path: "$.none#") }') + " } }",
        "{ " + again(300, 'r#: author_local_by_pk(id: 1) { doc(path: "$.none#") }') + " }",
        "mutation { update_author_local_by_pk(pk_columns: {id: 1}, _set: {tags: null}) { " + PATHS + " } }",
    ],
)
async def test_much_side_by_side_is_refused_before_it_is_held(long_authors: Library, query: str) -> None:
    engine = limited(long_authors, 4 << 20)
    assert "data" in await ask(engine, "{ author_local(limit: 1) { id written_articles { id } } }")
    before = await most_held(long_authors)
    assert code_in(await ask(engine, query), query) == "answer-too-large"
    # Sixteen answers of 4 MiB, and what making them takes: each of these held more than twice as much.
    assert await most_held(long_authors) - before < 300 << 20


@pytest.mark.parametrize(
    "query",
    [
        "{ article_local(order_by: {word_count: desc}) { id written_by { note } } }",
        "{ author_local(order_by: {tags: desc}) { id written_articles(limit: 1) { body } } }",
        "{ author_local(order_by: {tags: asc}) { written_articles_aggregate { aggregate { max { body } } } } }",
    ],
)
async def test_what_is_sorted_is_not_made_before(long_authors: Library, query: str) -> None:
    """PostgreSQL would write all of it to its disk, to sort it there."""
    engine = limited(long_authors, 4 << 20)
    assert code_in(await ask(engine, query), query) == "answer-too-large"


async def test_what_is_not_asked_for_is_not_sorted(long_authors: Library) -> None:
    """A computed field is given the whole row: that is made of what was sorted, or PostgreSQL would sort all long values, on its disk."""
    # A third of a MiB that can't be compressed.
    noise = "(SELECT string_agg(md5(id || '.' || n), '') FROM generate_series(1, 10000) n)"
    await long_authors.pool.execute(f"UPDATE author_local SET note = {noise}")
    names = {"Author 1", "Author 2", *map(str, range(3, 301))}
    for page in ("", "distinct_on: [tags, full_name], ", "offset: 1, limit: 299, "):
        query = f"{{ author_local({page}order_by: [{{tags: asc}}, {{full_name: asc}}]) {{ short_text }} }}"
        told = [author["short_text"] for author in (await ask(limited(long_authors, 1 << 20), query))["data"]["author_local"]]
        assert len(told) == len(set(told)) == (299 if "offset" in page else 300)
        assert set(told) <= names
    assert await long_authors.value("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()") == 0


@pytest.mark.parametrize("times", [1, 16, 60])
async def test_paths_lead_into_long_json(long_authors: Library, times: int) -> None:
    query = "{ author_local_by_pk(id: 2) { " + again(times, 'd#: doc(path: "$.short")') + " } }"
    answer = await ask(limited(long_authors, 4 << 20), query)
    assert answer == {"data": {"author_local_by_pk": {f"d{number}": 2 for number in range(times)}}}


@pytest.mark.parametrize(
    ("mutation", "told"),
    [
        ("update_article_local(where: {id: {_lte: 3}}, _set: {word_count: 7}) { returning { id written_by { id } } }", 3),
        ("update_article_local(where: {id: {_lte: 3}}, _set: {word_count: 7}) { returning { id body_length } }", 3),
        ("delete_article_local(where: {id: {_lte: 3}}) { returning { id written_by { id } } }", 3),
    ],
)
async def test_a_short_answer_to_a_write_is_told_however_long_the_rows_are(long_authors: Library, mutation: str, told: int) -> None:
    engine = limited(long_authors, 1 << 20)
    answered = await ask(engine, f"mutation {{ written: {mutation} }}")
    assert "errors" not in answered, answered
    assert len(answered["data"]["written"]["returning"]) == told


@pytest.mark.parametrize(
    "query",
    [
        "{ article_local(order_by: {id: asc}) { id " + again(40, "r#: written_by { full_name }") + " } }",
        "{ author_local(order_by: {id: asc}) { id " + again(40, "a#: short_text") + " } }",
        "mutation { update_author_local(where: {}, _set: {tags: null}) { returning { "
        + again(15, "l#: written_articles { id }")
        + " } } }",
        "mutation { update_article_local(where: {}, _set: {word_count: 7}) { returning { "
        + again(40, "r#: written_by { full_name }")
        + " } } }",
    ],
)
async def test_one_list_may_be_as_large_as_the_answer_whatever_its_rows_hold(long_authors: Library, query: str) -> None:
    """What lies in the rows takes nothing of what the list may be."""
    body = await body_of(limited(long_authors, 4 << 20), query)
    assert b"errors" not in body, body[:500]
    assert await body_of(limited(long_authors, len(body)), query) == body


@pytest.mark.parametrize(
    "mutation",
    [
        "update_article_local(where: {id: {_lte: 3}}, _set: {word_count: 7}) { returning { id written_by { id } } }",
        'insert_author_local(objects: {full_name: "new", written_articles: {data: [{word_count: 1}]}}) { returning { id } }',
        'insert_article_local(objects: {written_by: {data: {full_name: "new"}}}) { returning { id } }',
    ],
)
async def test_rows_with_a_column_that_has_no_name_in_graphql_are_kept(long_authors: Library, mutation: str) -> None:
    answered = await ask(limited(long_authors, 1 << 20), f"mutation {{ {mutation} }}")
    assert "errors" not in answered, answered


async def test_a_varchar_is_short_where_its_length_says_so(long_authors: Library) -> None:
    columns = next(tracked for name, tracked in long_authors.resolved.catalog.tables.items() if name.name == "author_local").columns
    assert {name for name, column in columns.items() if is_long(column.type)} == {"full_name", "tags", "note", "doc"}
