"""Selections that break engines: floods, long names, odd aliases, deep nesting, merged and conditional fields."""

from typing import Any

import pytest

from tests.engine.library import Library, session_of
from tests.support.refusals import code_in, error_in

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})


async def refused(books: Library, query: str, path: str, text: str, variables: dict[str, Any] | None = None) -> None:
    error = error_in(await books.ask(query, variables), query)
    assert error["extensions"] == {"code": "validation-failed", "path": path}
    assert text in error["message"]


@pytest.mark.anyio
@pytest.mark.parametrize("count", [51, 60, 1_700])
async def test_a_flood_of_aliases_is_answered(books: Library, count: int) -> None:
    aliases = " ".join(f"a{number}: title" for number in range(count))
    answer = await books.ask(f"{{ book_by_pk(id: 1) {{ {aliases} }} }}")
    assert answer == {"data": {"book_by_pk": {f"a{number}": "Peer Gynt" for number in range(count)}}}


@pytest.mark.anyio
async def test_a_flood_of_root_fields_is_answered(books: Library) -> None:
    answer = await books.ask("{{ {} }}".format(" ".join(f"a{number}: book_by_pk(id: 1) {{ id }}" for number in range(60))))
    assert list(answer["data"]) == [f"a{number}" for number in range(60)]


@pytest.mark.anyio
async def test_names_longer_than_an_identifier_are_kept_whole(books: Library) -> None:
    long = "a" * 64
    answer = await books.ask("{{ book(where: {{id: {{_eq: 1}}}}) {{ {}: title {}: id }} }}".format(long, long + "b"))
    assert answer == {"data": {"book": [{long: "Peer Gynt", long + "b": 1}]}}


@pytest.mark.anyio
@pytest.mark.parametrize("alias", ["o", "row", "object", "book", "pairs", "key", "value", "_0", "select"])
async def test_no_alias_shadows_a_name_of_the_statement(books: Library, alias: str) -> None:
    answer = await books.ask(f"{{ {alias}: book(where: {{id: {{_eq: 1}}}}) {{ {alias}: title author {{ {alias}: name }} }} }}")
    assert answer == {"data": {alias: [{alias: "Peer Gynt", "author": {alias: "Ibsen"}}]}}


@pytest.mark.anyio
async def test_nesting_ends_at_the_limit(books: Library) -> None:
    def nested(depth: int) -> str:
        return "{ id }" if depth == 0 else f"{{ author {{ books {nested(depth - 2)} }} }}"

    assert "data" in await books.ask(f"{{ book(limit: 1) {nested(10)} }}")
    deep = f"{{ book {nested(40)} }}"
    assert error_in(await books.ask(deep), deep)["message"] == "the query is nested deeper than 20 levels"
    deeper = "{ a" * 20_000
    assert code_in(await books.ask(deeper), deeper) == "validation-failed"


@pytest.mark.anyio
async def test_too_much_are_refused_before_any_work(books: Library) -> None:
    fragments = "fragment f0 on book { id } " + " ".join(
        f"fragment f{n} on book {{ a: author {{ books {{ ...f{n - 1} }} }} b: author {{ books {{ ...f{n - 1} }} }} }}" for n in range(1, 9)
    )
    many = " ".join(f"x{number}: book {{ ...f8 }}" for number in range(40))
    query = f"{{ {many} }} {fragments}"
    assert error_in(await books.ask(query), query)["message"] == "the query costs more than 10000; ask for less at once"


@pytest.mark.anyio
async def test_fragments_in_a_circle_are_refused(books: Library) -> None:
    circle = "{ book { ...a } } fragment a on book { author { ...b } } fragment b on author { books { ...a } }"
    of_b = "selectionSet.author.selectionSet.b.selectionSet.books"
    await refused(books, circle, f"$.selectionSet.book.selectionSet.a.{of_b}.selectionSet", "form a cycle")


@pytest.mark.anyio
async def test_equal_keys_merge_and_different_ones_are_refused(books: Library) -> None:
    merged = await books.ask("{ book_by_pk(id: 1) { author { name } author { id } title title } }")
    assert merged == {"data": {"book_by_pk": {"author": {"name": "Ibsen", "id": 1}, "title": "Peer Gynt"}}}
    await refused(books, "{ book_by_pk(id: 1) { x: title x: id } }", "$.selectionSet.book_by_pk.selectionSet", "'x'")
    await refused(books, "{ x: book_by_pk(id: 1) { id } x: book_by_pk(id: 2) { id } }", "$.selectionSet", "'book_by_pk'")


@pytest.mark.anyio
async def test_conditions_decide_for_each_request(books: Library) -> None:
    query = "query ($yes: Boolean!) { book_by_pk(id: 1) { id title @include(if: $yes) isbn @skip(if: $yes) } }"
    assert (await books.ask(query, {"yes": True}))["data"]["book_by_pk"] == {"id": 1, "title": "Peer Gynt"}
    assert (await books.ask(query, {"yes": False}))["data"]["book_by_pk"] == {"id": 1, "isbn": "111"}


@pytest.mark.anyio
async def test_aggregates_below_rows_and_in_orders(books: Library) -> None:
    query = """{ author(order_by: {books_aggregate: {max: {price: desc_nulls_last}}}) {
        name books_aggregate { __typename aggregate { count sum { pages } __typename } nodes { id } } } }"""
    answer = await books.ask(query)
    assert [author["name"] for author in answer["data"]["author"]] == ["Undset", "Ibsen", "Hamsun"]
    expected = {"count": 2, "sum": {"pages": 320}, "__typename": "book_aggregate_fields"}
    assert answer["data"]["author"][1]["books_aggregate"]["aggregate"] == expected


@pytest.mark.anyio
async def test_an_aggregate_of_nothing_but_its_type(books: Library) -> None:
    answer = await books.ask("{ book_aggregate(where: {id: {_lt: 0}}) { aggregate { __typename } } }")
    assert answer == {"data": {"book_aggregate": {"aggregate": {"__typename": "book_aggregate_fields"}}}}


@pytest.mark.anyio
async def test_pages_and_distinct_rows(books: Library) -> None:
    page = "query ($l: Int, $o: Int) { book(order_by: {id: asc}, limit: $l, offset: $o) { id } }"
    assert (await books.ask(page, {"l": 2, "o": 1}))["data"]["book"] == [{"id": 2}, {"id": 3}]
    assert (await books.ask(page, {"l": 0}))["data"]["book"] == []
    assert len((await books.ask(page, {"l": 100_000, "o": 3}))["data"]["book"]) == 2
    await refused(books, page, "$.selectionSet.book.args.limit", "non-negative 32-bit integer", {"l": -100_000})
    await refused(books, page, "$.selectionSet.book.args.limit", "found a boolean", {"l": True})
    distinct = await books.ask("{ book(distinct_on: author_id, order_by: [{author_id: asc}, {id: desc}]) { id author { name } } }")
    assert [book["id"] for book in distinct["data"]["book"]] == [2, 3, 5]


@pytest.mark.anyio
async def test_a_custom_named_table_and_column(books: Library) -> None:
    answer = await books.ask('{ audit_entries(where: {action: {_like: "op%"}}, order_by: {action: asc}) { __typename id action } }')
    assert answer == {"data": {"audit_entries": [{"__typename": "audit", "id": 1, "action": "opened"}]}}


@pytest.mark.anyio
async def test_hidden_rows_and_absent_rows_answer_alike(books: Library) -> None:
    hidden = await books.ask("{ book_by_pk(id: 2) { id } }", session=PATRON)
    assert hidden == await books.ask("{ book_by_pk(id: 77) { id } }", session=PATRON) == {"data": {"book_by_pk": None}}
