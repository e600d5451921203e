"""What a request brought is gone with its answer, without the garbage collector: that comes seldom, and much would wait for it."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from permissions.session import Session
from resolvers.answer import forget_frames
from resolvers.compiled import TableQuery
from resolvers.documents.document import read_operation
from resolvers.documents.request import Request
from tests.engine.library import Library, session_of

pytestmark = pytest.mark.anyio

MANY = 40_000
PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})


class Brought(dict[str, Any]):
    """Variables that can be watched."""


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("query", "variables", "size"),
    [
        ("query($i: [Int!]) { book(where: {id: {_in: $i}}) { id } }", {"i": [1, 2]}, 0),
        ("query($i: [Int!]) { book(where: {id: {_in: $i}}) { id } }", {"i": [1] * MANY}, 3 * MANY),
        ("query($w: book_bool_exp) { book(where: $w) { id } }", {"w": {"nothing": 1}}, 0),
        ("query($w: book_bool_exp) { book(where: $w) { id } }", {"w": {f"x{n}": n for n in range(MANY)}}, 9 * MANY),
        ("query($w: book_bool_exp) { book(where: $w) { id } }", {"w": {"_or": [{"id": {"_is_null": True}}] * MANY}}, 24 * MANY),
        ("query($i: Int!) { book_by_pk(id: $i) { title", {"i": 1}, 0),
        ("query($t: String!) { book(where: {title: {_regex: $t}}) { id } }", {"t": "("}, 0),
        ("mutation($t: String!) { update_book(where: {id: {_eq: -1}}, _set: {title: $t}) { affected_rows } }", {"t": "secret"}, 0),
    ],
    ids=[
        "answered",
        "answered, large",
        "refused",
        "refused, large",
        "refused, too dear",
        "no document",
        "refused by PostgreSQL",
        "written",
    ],
)
async def test_variables_are_gone_with_the_answer(
    books: Library, without_collector: None, query: str, variables: dict[str, Any], size: int
) -> None:
    brought = Brought(variables)
    watched = weakref.ref(brought)
    answer = await books.engine.execute(Request(query, brought, principal="admin", size=len(query) + size), Session("admin"))
    assert answer.body
    del brought, answer
    # The compile thread forgets its last work with the next.
    await books.engine.apart("user 3", lambda: None)
    assert watched() is None


LARGE = {
    "roots": ("{" + " ".join(f"a{n}: book(limit: 1) {{ title author {{ name }} }}" for n in range(200)) + "}", 0.1),
    "columns": ("{ book { " + " ".join(f"a{n}: isbn" for n in range(2_000)) + " } }", 0.1),
    "lists": ("{ book { " + " ".join(f"a{n}: reviews {{ stars member {{ name }} }}" for n in range(200)) + " } }", 0.1),
    "conditions": ("{ book(where: {_or: [" + "{reviews: {stars: {_eq: 1}}} " * 300 + "]}) { id } }", 60),
}


@pytest.mark.parametrize("name", LARGE)
async def test_a_large_compilation_leaves_little_garbage(books: Library, without_collector: None, name: str) -> None:
    """While it is collected nothing else runs: a thousand objects take about half a millisecond."""
    query, each = LARGE[name]
    view, planner, request = books.engine._views.of(PATRON), books.engine._planner, Request(query)
    operation = read_operation(query, None)
    # What is made once for all.
    planner._compile(view, request, operation, planner._budget(request))
    gc.collect()
    plan = planner._compile(view, request, operation, planner._budget(request))
    found = gc.collect()
    assert isinstance(plan.compiled, TableQuery)
    assert len(plan.compiled.plan.sql) > 10_000
    assert found < each * query.count(":")


def test_errors_that_go_in_circles_come_to_an_end() -> None:
    first, second, third = ValueError(), KeyError(), TypeError()
    first.__cause__, second.__context__, third.__cause__ = second, third, first
    try:
        raise second
    except KeyError as caught:
        forget_frames(first)
        assert caught.__traceback__ is None
