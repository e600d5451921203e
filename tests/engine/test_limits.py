"""What one request may ask for: refused early and in words, whatever it is made of."""

import json
import time
from typing import Any

import pytest

from resolvers.documents.exact_json import read_json
from tests.engine.library import Library
from tests.support.refusals import error_in

BOOKS = "query ($w: book_bool_exp) { book(where: $w) { id } }"


def inside(key: str, levels: int, innermost: Any) -> Any:
    value = innermost
    for _ in range(levels):
        value = {key: value}
    return value


def listed(levels: int) -> Any:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


async def refusal(books: Library, query: str, variables: dict[str, Any] | None = None) -> str:
    """The message of the one error; it must be a refusal that came before any work worth the name."""
    started = time.process_time()
    error = error_in(await books.ask(query, variables), query)
    assert error["extensions"]["code"] in ("validation-failed", "parse-failed"), error
    assert time.process_time() - started < 2
    return str(error["message"])


@pytest.mark.anyio
@pytest.mark.parametrize("levels", [21, 150, 400, 1000])
async def test_conditions_inside_conditions(levels: int, books: Library) -> None:
    assert "deep" in await refusal(books, BOOKS, {"w": inside("_not", levels, {})})
    back_and_forth = inside("author", 1, inside("books", 1, {}))
    for _ in range(levels // 2):
        back_and_forth = {"author": {"books": back_and_forth}}
    assert "deep" in await refusal(books, BOOKS, {"w": back_and_forth})


@pytest.mark.anyio
async def test_the_deepest_that_is_allowed(books: Library) -> None:
    where: dict[str, Any] = {}
    for _ in range(9):
        where = {"author": {"books": where}}
    rows = "{ id author { books(where: $w) " * 10 + "{ id }" + " } }" * 10
    answer = await books.ask(f"query ($w: book_bool_exp!) {{ book(where: $w, limit: 1) {rows} }}", {"w": where})
    assert "errors" not in answer


@pytest.mark.anyio
async def test_json_of_any_depth_and_size(fresh_books: Library) -> None:
    write = "mutation ($v: jsonb!) { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: $v}) { tags } }"
    for value in (listed(253), 10**30, {"a": [10**30, 1.5]}):
        assert (await fresh_books.ask(write, {"v": read_json(json.dumps(value).encode())}))["data"]["update_book_by_pk"]["tags"] == value
    for levels in (254, 1000):
        assert "deep" in await refusal(fresh_books, write, {"v": listed(levels)})
    assert await fresh_books.value("SELECT tags->'a'->>1 FROM book WHERE id = 1") == "1.5"
    literal = "mutation { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: {a: 123456789012345678901234567890, b: 1e400}}) { id } }"
    assert "errors" not in await fresh_books.ask(literal)
    assert await fresh_books.value("SELECT tags->>'a' || left(tags->>'b', 3) FROM book WHERE id = 1") == "123456789012345678901234567890100"


@pytest.mark.anyio
async def test_numbers_of_any_length(books: Library) -> None:
    digits = "9" * 5000
    assert "lies outside the bounds" in await refusal(books, f"{{ book(where: {{id: {{_eq: {digits}}}}}) {{ id }} }}")
    assert "lies outside the bounds" in await refusal(books, f"{{ book(limit: {digits}) {{ id }} }}")
    assert "lies outside the bounds" in await refusal(books, "query ($o: Int) { book(offset: $o) { id } }", {"o": digits})


@pytest.mark.anyio
async def test_many_tables_at_once(books: Library) -> None:
    many = " ".join(f"a{number}: author {{ ...F }}" for number in range(300))
    fragment = "fragment F on author { id books { id author { id books { id author { id } } } } }"
    assert "costs more than" in await refusal(books, f"{{ {many} }} {fragment}")


@pytest.mark.anyio
async def test_a_large_argument_counts_each_time_it_is_spread(books: Library) -> None:
    where = "{_or: [" + ",".join(f"{{id: {{_eq: {number}}}}}" for number in range(800)) + "]}"
    many = " ".join(f"a{number}: author {{ ...F ...G }}" for number in range(100))
    fragments = f"fragment F on author {{ books(where: {where}) {{ id }} }} fragment G on author {{ ...F }}"
    assert "costs more than" in await refusal(books, f"{{ book {{ {many} }} }} {fragments}")


@pytest.mark.anyio
async def test_many_rows_at_once(books: Library) -> None:
    write = "mutation ($o: [author_insert_input!]!) { insert_author(objects: $o) { affected_rows } }"
    assert "costs more than" in await refusal(books, write, {"o": [{"name": str(number)} for number in range(20_000)]})
    assert await books.value("SELECT count(*) FROM author") == 3


@pytest.mark.anyio
async def test_a_long_chain_of_fragments(books: Library) -> None:
    chain = " ".join(f"fragment f{number} on book {{ ...f{number + 1} }}" for number in range(1500))
    assert "deep" in await refusal(books, f"{{ book {{ ...f0 }} }} {chain} fragment f1500 on book {{ id }}")
    circle = " ".join(f"fragment f{number} on book {{ ...f{(number + 1) % 1500} }}" for number in range(1500))
    assert "form a cycle" in await refusal(books, f"{{ book {{ ...f0 }} }} {circle}")


@pytest.mark.anyio
async def test_arguments_that_a_field_does_not_have(books: Library) -> None:
    for query, name in (
        ("{ book { id(x: 1) } }", "id"),
        ("{ book { __typename(x: 1) } }", "__typename"),
        ("{ book { author(x: 1) { id } } }", "author"),
        ("{ book_aggregate { aggregate(x: 1) { count } } }", "aggregate"),
    ):
        assert await refusal(books, query) == f"'{name}' has no argument named 'x'"


@pytest.mark.anyio
async def test_a_single_text_is_a_list_of_one(books: Library) -> None:
    query = "query ($t: [String!]) { book(where: {title: {_in: $t}}) { id } }"
    for given in ("Brand", ["Brand"]):
        assert (await books.ask(query, {"t": given}))["data"] == {"book": [{"id": 2}]}
