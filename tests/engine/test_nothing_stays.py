"""What a request brought is gone with its answer, without the garbage collector: that comes seldom, and much would wait for it."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from permissions.session import Session
from resolvers.answer import forget_frames
from resolvers.documents.request import Request
from tests.engine.library import Library

pytestmark = pytest.mark.anyio

MANY = 40_000


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


def test_errors_that_lead_back_to_themselves_are_forgotten_too() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__context__ = second, first
    forget_frames(first)
    assert first.__traceback__ is second.__traceback__ is None
