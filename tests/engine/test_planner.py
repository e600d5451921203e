"""Where a plan is made, and what it may cost: alone, and as a member of a batch."""

import threading
from typing import Any

import orjson
import pytest

from permissions.session import Session
from resolvers.compile import compile_operation
from resolvers.documents.document import read_operation
from resolvers.documents.request import Request, Tally
from resolvers.walk.parameter_text import parameter_text
from tests.engine.library import Library, session_of
from tests.support.refusals import error_in

pytestmark = pytest.mark.anyio

ADMIN = Session("admin")
SHORT = "{ book { id } }"
FIELDS = "id author { name books { id } }"


def wide(roots: int) -> str:
    return "{ " + " ".join(f"a{number}: book(limit: 0) {{ {FIELDS} }}" for number in range(roots)) + " }"


async def answer(books: Library, request: Request, session: Session = ADMIN) -> Any:
    return orjson.loads((await books.engine.execute(request, session)).body)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of the thread of each compilation that came to its end."""
    seen: list[str] = []

    def compiled(*given: Any) -> Any:
        result = compile_operation(*given)
        seen.append(threading.current_thread().name)
        return result

    monkeypatch.setattr("resolvers.planner.compile_operation", compiled)
    return seen


async def test_short_work_stays_on_the_loop_and_long_work_leaves_it(books: Library, threads: list[str]) -> None:
    loop = threading.current_thread().name
    assert "errors" not in await books.ask(f"{{ here: book {{ {FIELDS} }} }}")
    assert threads == [loop]
    assert "errors" not in await books.ask(wide(30))
    assert len(threads) == 2
    assert threads[1].startswith("compile")
    assert "errors" not in await books.ask(wide(30))
    assert len(threads) == 2


async def test_a_long_document_is_parsed_off_the_loop(books: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def noted(*given: Any, **named: Any) -> Any:
        parsed.append(threading.current_thread().name)
        return read_operation(*given, **named)

    monkeypatch.setattr("resolvers.planner.read_operation", noted)
    await books.ask("{ parsed: book { id } }")
    await books.ask("{ " + "id " * 5_000 + "}")
    assert [name.startswith("compile") for name in parsed] == [False, True]


async def test_large_variables_are_read_off_the_loop(books: Library, threads: list[str]) -> None:
    variables = {"ids": list(range(20_000))}
    request = Request("query ($ids: [Int!]) { book(where: {id: {_in: $ids}}) { id } }", variables, size=100_000)
    for count in (1, 2):
        assert len((await answer(books, request))["data"]["book"]) == 5
        assert [name.startswith("compile") for name in threads] == [True] * count


LARGE = "x" * 100_000


@pytest.mark.parametrize(
    ("query", "large"),
    [
        ("query ($v: jsonb!) { book(where: {tags: {_eq: $v}}) { id } }", [LARGE]),
        ("query ($v: [String!]) { book(where: {title: {_in: $v}}) { id } }", [LARGE]),
        ("mutation ($v: jsonb!) { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: $v}) { id } }", [LARGE]),
    ],
)
async def test_large_variables_become_text_off_the_loop(
    query: str, large: object, fresh_books: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, when they are checked, and not again when the statement gets its arguments."""
    made: list[str] = []

    def noted(*given: Any, **named: Any) -> str | None:
        made.append(threading.current_thread().name)
        return parameter_text(*given, **named)

    monkeypatch.setattr("resolvers.walk.bound_values.parameter_text", noted)
    monkeypatch.setattr("resolvers.walk.parameter_text.parameter_text", noted)
    for _ in range(2):
        assert "errors" not in await answer(fresh_books, Request(query, {"v": large}, size=100_100))
    assert made
    assert all(name.startswith("compile") for name in made)


async def test_the_text_of_a_variable_is_paid_like_that_of_a_literal(books: Library) -> None:
    """Once, however often it is used, and only by whoever sends it: a plan costs what it costs without."""

    async def cost(text: str, *, size: int, uses: int = 1) -> int:
        tally = Tally()
        fields = " ".join(f"a{number}: book(where: {{title: {{_eq: $v}}}}) {{ id }}" for number in range(uses))
        assert "errors" not in await answer(books, Request(f"query ($v: String) {{ {fields} }}", {"v": text}, size=size, tally=tally))
        return tally.cost

    short = await cost("", size=100_000)
    assert await cost("x" * 100_000, size=100_100) == short + 100_000 // 128
    assert await cost("x" * 100_000, size=100_100, uses=5) == await cost("", size=100_000, uses=5) + 100_000 // 128
    assert await cost("x" * 10_000, size=10_100, uses=2) == await cost("", size=100_000, uses=2) + 10_000 // 128
    assert await cost("", size=100, uses=2) == await cost("", size=100_000, uses=2)


@pytest.mark.parametrize("query", [SHORT, "{ nobody { id } }", "{ book { id ", "mutation { delete_book(where: {}) { affected_rows } }"])
async def test_a_batch_has_one_budget(query: str, fresh_books: Library) -> None:
    """Cached or new, answered or refused: each member is paid for, and nothing runs when there is nothing left."""
    tally = Tally(fresh_books.engine._planner._limits.cost - 3)
    error = error_in(await answer(fresh_books, Request(query, tally=tally)), query)
    assert "costs more than" in error["message"]
    assert await fresh_books.value("SELECT count(*) FROM book") == 5
    tally, nothing = Tally(), query.replace("where: {}", "where: {id: {_eq: 0}}")
    costs = []
    for _ in range(3):
        await answer(fresh_books, Request(nothing, tally=tally))
        costs.append(tally.cost)
    assert 0 < costs[0] < costs[1] < costs[2]


async def test_a_batch_of_introspections(books: Library) -> None:
    tally = Tally()
    answers = [await answer(books, Request(f"{{ n{number}: __schema {{ types {{ name }} }} }}", tally=tally)) for number in range(40)]
    assert "data" in answers[0]
    assert "costs more than" in error_in(answers[-1], "the last one")["message"]


async def test_a_batch_of_large_members(books: Library) -> None:
    tally = Tally()
    answers = [await answer(books, Request(wide(100), tally=tally)) for _ in range(12)]
    answered = ["data" in answer for answer in answers]
    assert answered[0]
    assert not answered[-1]
    assert answered == sorted(answered, reverse=True)


async def test_the_cost_follows_the_rule_of_the_role(books: Library) -> None:
    """Loans of a patron stand behind joins; those of admin behind nothing."""

    async def cost(session: Session, query: str) -> int:
        tally = Tally()
        assert "errors" not in await answer(books, Request(query, tally=tally), session)
        return tally.cost

    patron = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
    plain, behind = await cost(ADMIN, "{ book(limit: 0) { id } }"), await cost(patron, "{ book(limit: 0) { id } }")
    assert behind > plain
    assert await cost(ADMIN, wide(10)) > 9 * (plain - 10)
