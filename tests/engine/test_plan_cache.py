"""One plan serves all requests of a shape, and never one of another shape."""

import gc
import sys
import weakref
from typing import Any

import pytest

from resolvers import planner
from resolvers.documents.request import Request
from resolvers.documents.variable_shape import Pins, shape
from resolvers.engine import Engine
from tests.engine.library import Library, session_of
from tests.support.refusals import error_in

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})


def plans(engine: Engine) -> int:
    return sum(len(document.compiled) for document in engine._planner._plans._documents._entries.values())


@pytest.mark.anyio
async def test_values_share_a_plan_and_structures_do_not(books: Library) -> None:
    query = "query ($w: book_bool_exp, $o: [book_order_by!], $l: Int) { book(where: $w, order_by: $o, limit: $l) { id } }"
    before = plans(books.engine)

    async def ids(**variables: Any) -> list[int]:
        return [book["id"] for book in (await books.ask(query, variables))["data"]["book"]]

    ascending = [{"id": "asc"}]
    assert await ids(w={"id": {"_in": [1, 2]}}, o=ascending) == [1, 2]
    assert await ids(w={"id": {"_in": [3, 4, 5]}}, o=ascending) == [3, 4, 5]
    assert plans(books.engine) - before == 1
    assert await ids(w={"id": {"_in": [1, 2]}}, o=[{"id": "desc"}]) == [2, 1]
    assert await ids(w={"id": {"_in": [1, 2]}}, o=ascending, l=1) == [1]
    assert await ids(w={"id": {"_in": [1, 2]}}, o=ascending, l=None) == [1, 2]
    assert await ids(w={"pages": {"_is_null": True}}) == [4]
    assert sorted(await ids(w={"pages": {"_is_null": False}})) == [1, 2, 3, 5]
    assert sorted(await ids(w={"_or": []})) == []
    assert sorted(await ids(w={"_or": [{"id": {"_eq": 1}}, {"id": {"_eq": 2}}]})) == [1, 2]
    assert sorted(await ids(w={})) == [1, 2, 3, 4, 5]
    assert plans(books.engine) - before == 9


@pytest.mark.anyio
async def test_a_cached_plan_still_checks_its_values(books: Library) -> None:
    query = "query ($id: Int!, $ids: [Int!]) { book(where: {id: {_eq: $id, _in: $ids}}) { id } }"
    assert (await books.ask(query, {"id": 1, "ids": [1]}))["data"] == {"book": [{"id": 1}]}
    for variables, code, path in (
        ({"id": 2**31, "ids": [1]}, "parse-failed", "$.selectionSet.book.args.where.id._eq"),
        ({"id": True, "ids": [1]}, "parse-failed", "$.selectionSet.book.args.where.id._eq"),
        ({"id": 1, "ids": [1, None]}, "validation-failed", "$.selectionSet.book.args.where.id._in[1]"),
        ({"id": "x", "ids": [1]}, "data-exception", "$"),
        ({"id": 1, "ids": [1], "more": 1}, "validation-failed", "$"),
        ({"ids": [1]}, "validation-failed", "$"),
        ({"id": None, "ids": [1]}, "validation-failed", "$"),
    ):
        error = error_in(await books.ask(query, variables), (query, variables))
        assert (error["extensions"]["code"], error["extensions"]["path"]) == (code, path), variables


class Brought(dict[str, Any]):
    """What a request brings, to be found again as long as anybody keeps it."""


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ("offset: $n", {"n": 1}),
        ("limit: $n", {"n": 5_000}),
        ("limit: $n", {"n": 2.0}),
        ("limit: $n, order_by: {id: asc}, distinct_on: id", {"n": 3}),
    ],
)
async def test_a_plan_keeps_nothing_of_the_request_that_it_was_made_for(books: Library, arguments: str, variables: dict[str, Any]) -> None:
    query = f"query ($n: Int, $t: jsonb) {{ book({arguments}, where: {{tags: {{_contains: $t}}}}) {{ id }} }}"
    brought = Brought(a=1)
    kept = weakref.ref(brought)
    assert "errors" not in await books.ask(query, {**variables, "t": brought})
    del brought
    gc.collect()
    assert kept() is None


@pytest.mark.anyio
async def test_a_cached_plan_tells_of_its_own_value_what_was_found(books: Library) -> None:
    query = "query ($n: Int) { book(offset: $n) { id } }"
    assert "errors" not in await books.ask(query, {"n": 1})
    for value, found in ((True, "a boolean"), ("-1", "a string"), ([], "a list"), (-1, "a number")):
        assert error_in(await books.ask(query, {"n": value}), query)["message"].endswith(f"but found {found}")


@pytest.mark.anyio
async def test_roles_and_sessions_never_share_rows(books: Library) -> None:
    query = "{ loan(order_by: {id: asc}) { id } }"
    for user, loans in (("2", [1, 2]), ("3", [3]), ("1", [4]), ("9", [])):
        session = session_of({"x-hasura-role": "patron", "x-hasura-user-id": user})
        assert [loan["id"] for loan in (await books.ask(query, session=session))["data"]["loan"]] == loans
    assert len((await books.ask(query))["data"]["loan"]) == 4


@pytest.mark.anyio
async def test_a_forgotten_variable_never_widens(books: Library) -> None:
    query = "mutation ($id: Int) { delete_review(where: {stars: {_eq: $id}}) { affected_rows } }"
    error = error_in(await books.ask(query), query)
    assert error["extensions"] == {"code": "validation-failed", "path": "$.selectionSet.delete_review.args.where.stars._eq"}
    assert await books.value("SELECT count(*) FROM review") == 4


@pytest.mark.anyio
async def test_the_cache_has_an_end_whatever_it_holds(books: Library) -> None:
    """Few characters and many values: the shapes and plans of variables weigh more than the document."""
    documents = books.engine._planner._plans._documents
    for number in range(40):
        where = {"_or": [{"id": {"_is_null": True}}] * (900 + number)}
        await books.ask("query ($w: book_bool_exp) { heavy: book(where: $w) { id } }", {"w": where})
    heavy = next(document for key, document in documents._entries.items() if "heavy" in str(key))
    assert 0 < len(heavy.compiled) < 40
    assert documents.weight >= heavy.compiled.weight > 0
    assert documents.weight <= 1 << 19


@pytest.mark.anyio
async def test_memory_has_an_end_whatever_is_asked(books: Library) -> None:
    """Documents that nobody asked before, and shapes of variables: once the cache is full, what is kept is as much as before."""

    async def ask_anew(first: int) -> int:
        for number in range(first, first + 200):
            query = f"query ($w: book_bool_exp) {{ x{number}: book(where: $w) {{ id title author {{ name }} }} }} {'#' * 3_000}"
            await books.ask(query, {"w": {"id": {"_eq": number}}})
            shaped = "query ($w: book_bool_exp) { shaped: book(where: $w) { id } }"
            await books.ask(shaped, {"w": {"_and": [{"id": {"_eq": 1}}] * (number % 7), "_or": [{"id": {"_eq": 1}}] * (number // 7 % 40)}})
        gc.collect()
        return sys.getallocatedblocks()

    await ask_anew(0)
    before = await ask_anew(200)
    after = await ask_anew(400)
    assert after < before * 1.03


@pytest.mark.anyio
async def test_nothing_is_parsed_or_compiled_twice(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def count(name: str) -> None:
        work = getattr(planner, name)

        def counted(*given: Any, **named: Any) -> Any:
            done.append(name)
            return work(*given, **named)

        monkeypatch.setattr(planner, name, counted)

    count("read_operation")
    count("compile_operation")
    asked = "($id: Int!) { book_by_pk(id: $id) { title loans { id } } }"
    for session in (PATRON, session_of({"x-hasura-role": "patron", "x-hasura-user-id": "3"})):
        for id_ in (1, 2):
            await books.ask(f"query Once{asked}", {"id": id_}, session=session)
            assert await books.engine.live_query(Request(f"subscription Once{asked}", {"id": id_}), session) is not None
    assert done == ["read_operation", "compile_operation"] * 2


def test_shapes_tell_null_absent_and_kinds_apart() -> None:
    pins = Pins(exact={("e",)}, opaque={("o",)}, limits={("l",)})
    alike: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"a": 1}, {"a": "x"}),
        ({"o": [1]}, {"o": [1, 2, 3]}),
        ({"l": 5_000}, {"l": 6_000}),
    ]
    different: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"a": None}, {}),
        ({"a": None}, {"a": 1}),
        ({"e": 1}, {"e": 2}),
        ({"l": 1}, {"l": True}),
        ({"l": 1}, {"l": 2}),
    ]
    different += [({"a": [1]}, {"a": [1, 2]}), ({"a": {"x": 1}}, {"a": {"y": 1}}), ({"a": {}}, {"a": []}), ({"o": None}, {"o": []})]
    for left, right in alike:
        assert shape(left, pins) == shape(right, pins)
    for left, right in different:
        assert shape(left, pins) != shape(right, pins), (left, right)


@pytest.mark.anyio
async def test_a_live_query_knows_its_tables_and_arguments(books: Library) -> None:
    request = Request("subscription ($t: String!) { book(where: {title: {_eq: $t}}) { id author { name } } }", {"t": "Brand"})
    live = await books.engine.live_query(request, PATRON)
    assert live is not None
    assert {table.name for table in live.tables} == {"book", "author", "loan"}
    assert [value for value in live.shared if value] == ["Brand"]
    assert live.own == ("2",)
