"""A rule's SQL is made once, and stands in any statement as if it had been made for it."""

from typing import Any

import pytest

from permissions.compiling import rule_text
from permissions.expressions import Compare, Constant, Related, Rule
from tests.engine.library import Library, session_of

pytestmark = pytest.mark.anyio

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})


async def test_a_rule_is_built_once(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    made = rule_text.RuleText

    def noted(*given: Any) -> Any:
        built.append(given)
        return made(*given)

    monkeypatch.setattr(rule_text, "RuleText", noted)
    rule_text._MADE.clear()
    first = await books.ask("{ book(order_by: {id: asc}) { id } loan(order_by: {id: asc}) { id } }", session=PATRON)
    count = len(built)
    assert count > 0
    again = await books.ask("{ more: book(order_by: {id: asc}) { id } loan(order_by: {id: asc}) { id book { id } } }", session=PATRON)
    assert again["data"]["more"] == first["data"]["book"]
    assert len(built) == count


async def test_names_inside_a_rule_are_its_own(books: Library) -> None:
    """The same table stands outside as the row that is judged, in the caller's condition, and inside the rule."""
    query = "{ book(where: {loans: {book: {loans: {id: {_gt: 0}}}}}, order_by: {id: asc}) { id } }"
    seen = [book["id"] for book in (await books.ask(query, session=PATRON))["data"]["book"]]
    direct = [loan["book"]["id"] for loan in (await books.ask("{ loan { book { id } } }", session=PATRON))["data"]["loan"] if loan["book"]]
    assert seen == sorted(set(direct))


def test_rules_that_look_alike_are_told_apart() -> None:
    one = Rule(Related("author", Compare("id", "_eq", Constant(1))))
    assert repr(one) != repr(Rule(Related("author", Compare("id", "_eq", Constant("1")))))
    assert repr(one) != repr(Rule(Related("author", Compare("id", "_eq", Constant(True)))))
