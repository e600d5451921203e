"""`path` and `_cast` where rows are followed or written, as in a query: live queries and streams, `returning`, `nodes`."""

from typing import Any

import pytest

from permissions.session import Session
from tests.engine.following import following
from tests.engine.library import Library
from tests.engine.test_json_values import OTHER, USER, data, own_books  # noqa: F401 - the fixture, and who asks
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

LATEST = "where: {doc: {_cast: {String: {_like: $like}}}}"


async def test_live_queries(own_books: Library) -> None:  # noqa: F811
    query = f"""subscription ($like: String!, $p: String) {{
        book({LATEST}, order_by: {{id: asc}}) {{ id doc(path: $p) whole(path: "doc.a[0]") }} }}"""
    given = {"like": "%latest%", "p": "$.a[1].b"}
    async with (
        following(own_books, query, given, session=USER) as mine,
        following(own_books, query, given | {"p": "[0]"}, session=USER) as first,
        following(own_books, query, given, session=OTHER) as nothing,
    ):
        assert (await mine())["data"]["book"] == [{"id": 1, "doc": "latest", "whole": {"b": 1}}, {"id": 2, "doc": None, "whole": None}]
        assert [row["doc"] for row in (await first())["data"]["book"]] == [None, "latest"]
        assert await nothing() == {"data": {"book": []}}
        await own_books.value("""UPDATE book SET doc = '{"a": [0, {"b": "the latest"}]}' WHERE id = 1 RETURNING id""")
        assert (await mine())["data"]["book"][0] == {"id": 1, "doc": "the latest", "whole": 0}


async def test_below_aggregates_and_rows(own_books: Library) -> None:  # noqa: F811
    query = f"""subscription ($like: String!, $p: String) {{ shelf {{ id
        books({LATEST}) {{ id }}
        books_aggregate({LATEST}, order_by: {{id: desc}}) {{ aggregate {{ count }} nodes {{ doc(path: $p) }} }} }} }}"""
    async with following(own_books, query, {"like": "[%", "p": "[0]"}, session=USER) as shelves:
        expected = {"id": 1, "books": [{"id": 2}], "books_aggregate": {"aggregate": {"count": 1}, "nodes": [{"doc": "latest"}]}}
        assert await shelves() == {"data": {"shelf": [expected]}}
    query = f"""query ($like: String!, $p: String) {{ book_aggregate({LATEST}, order_by: {{id: asc}}) {{
        aggregate {{ count }} nodes {{ doc(path: $p) whole(path: "id") shelf {{ books({LATEST}) {{ doc(path: $p) }} }} }} }} }}"""
    found = (await data(own_books, query, {"like": "[%", "p": "[0]"}))["book_aggregate"]
    assert found == {"aggregate": {"count": 1}, "nodes": [{"doc": "latest", "whole": 2, "shelf": {"books": [{"doc": "latest"}]}}]}


async def test_streams(own_books: Library) -> None:  # noqa: F811
    query = f"""subscription ($like: String!, $p: String) {{
        book_stream(batch_size: 1, cursor: {{initial_value: {{id: 0}}}}, {LATEST}) {{ id doc(path: $p) }} }}"""
    given = {"like": "%latest%", "p": "$.a[1].b"}
    async with following(own_books, query, given, session=USER) as rows:
        assert await rows() == {"data": {"book_stream": [{"id": 1, "doc": "latest"}]}}
        assert await rows() == {"data": {"book_stream": [{"id": 2, "doc": None}]}}
        await own_books.value("""INSERT INTO book VALUES (4, 2, '{"a": [1, {"b": "latest of another"}]}'),
            (5, 1, '{"b": "later"}'), (6, 1, '{"a": [1, {"b": "latest yet"}]}') RETURNING id""")
        assert await rows() == {"data": {"book_stream": [{"id": 6, "doc": "latest yet"}]}}


@pytest.mark.parametrize("root", ["book(limit: 1) {", "book_stream(batch_size: 1, cursor: {initial_value: {id: 0}}) {"])
async def test_what_is_no_path(own_books: Library, root: str) -> None:  # noqa: F811
    query = f"subscription ($p: String) {{ {root} doc(path: $p) }} }}"
    before = await own_books.value("SELECT count(*) FROM book")
    with pytest.raises(Exception, match="parse json path error: a\\[") as caught:
        async with following(own_books, query, {"p": "a["}, session=USER):
            raise AssertionError("followed")
    assert getattr(caught.value, "code", None) == "validation-failed"
    assert await own_books.value("SELECT count(*) FROM book") == before


WRITES: list[tuple[str, dict[str, Any], Any]] = [
    (
        "insert_book(objects: [{id: 7, shelf_id: 1, doc: $doc}]) { returning { doc(path: $p) whole(path: $w) shelf { id } } }",
        {},
        {"returning": [{"doc": 5, "whole": 5, "shelf": {"id": 1}}]},
    ),
    ("insert_book_one(object: {id: 7, shelf_id: 1, doc: $doc}) { doc(path: $p) whole(path: $w) }", {}, {"doc": 5, "whole": 5}),
    (
        "insert_shelf_one(object: {id: 7, owner: 1, books: {data: [{id: 7, doc: $doc}]}}) { books { doc(path: $p) whole(path: $w) } }",
        {},
        {"books": [{"doc": 5, "whole": 5}]},
    ),
    ("update_book_by_pk(pk_columns: {id: 1}, _set: {doc: $doc}) { doc(path: $p) whole(path: $w) }", {}, {"doc": 5, "whole": 5}),
    (
        "update_book_many(updates: [{where: {id: {_eq: 1}}, _set: {doc: $doc}}]) { returning { doc(path: $p) whole(path: $w) } }",
        {},
        [{"returning": [{"doc": 5, "whole": 5}]}],
    ),
    (
        "update_book(where: {doc: {_cast: {String: {_like: $like}}}}, _set: {doc: $doc}) { returning { id doc(path: $p) whole(path: $w) }}",
        {"like": "[%"},
        {"returning": [{"id": 2, "doc": 5, "whole": 5}]},
    ),
    (
        "delete_book(where: {doc: {_cast: {String: {_like: $like}}}}) { returning { id doc(path: $p) whole(path: $w) } }",
        {"like": "[%"},
        {"returning": [{"id": 2, "doc": None, "whole": None}]},
    ),
    ("delete_book_by_pk(id: 1) { doc(path: $p) first: doc(path: $q) }", {"q": "a[0].b"}, {"doc": None, "first": 1}),
]


@pytest.mark.parametrize(("field", "more", "expected"), WRITES, ids=[field.partition("(")[0] for field, _, _ in WRITES])
async def test_written_rows(own_books: Library, field: str, more: dict[str, Any], expected: Any) -> None:  # noqa: F811
    types = {"doc": "jsonb", "p": "String", "w": "String", "like": "String!", "q": "String"}
    given = {name: value for name, value in ({"doc": {"n": [5]}, "p": "n[0]", "w": "doc.n[0]"} | more).items() if f"${name}" in field}
    query = f"mutation ({', '.join(f'${name}: {types[name]}' for name in given)}) {{ written: {field} }}"
    rows = "SELECT json_agg(b ORDER BY id)::text FROM book b"
    before = await own_books.value(rows)
    # Neither who may not write the table, nor a path that is none, changes anything.
    for session, wrong in ((Session("stranger"), {}), (Session("admin"), {"p": "n["})):
        refused = error_in(await own_books.ask(query, given | wrong, session=session), query)
        assert refused["extensions"]["code"] == "validation-failed"
        assert await own_books.value(rows) == before
    assert (await data(own_books, query, given, Session("admin")))["written"] == expected
    assert await own_books.value(rows) != before
