"""Actions, introspection and hand-written subscriptions beside tables; the parts of Strawberry and graphql-core that are no public API."""

import gc
import json
from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
import pytest
import strawberry
from graphql import get_introspection_query, validate_schema
from strawberry.types import Info

from domain.errors import CallEnded, RateLimited
from permissions.errors import GraphQLRefusal
from permissions.rules import RoleRules
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import LARGEST_ACTION, Engine
from resolvers.hand_written.action_fields import ActionFields
from resolvers.hand_written.table_rows import table_row, table_rows
from resolvers.roles.role_schema import ROLES
from tests.engine.library import Library, session_of
from tests.support.refusals import error_in
from tests.support.unshared import Unshared

PATRON = session_of({"x-hasura-role": "patron", "x-hasura-user-id": "2"})
ADMIN = Session("admin")
# Hasura's `api-tests`, `Queries/Errors/NoQueriesAvailableSpec`.
NO_QUERIES = (
    "There are no queries available to the current role. Either there are no sources or remote schemas configured, "
    "or the current role doesn't have the required permissions."
)


@strawberry.input
class LendInput:
    book_id: int
    others: list[int] | None = None


@strawberry.type
class LentBook:
    book_id: int | None
    book = table_row("book", key="book_id")


@strawberry.type
class LendPayload:
    book_id: int
    token: str
    other_ids: list[int]
    book = table_row("book", key="book_id")
    others = table_rows("book", keys="other_ids")


@strawberry.type
class Shelf:
    """Payloads in a list."""

    lent: list[LentBook]


done: list[int] = []


async def lend(info: Info, input: LendInput) -> LendPayload:
    if input.book_id == 0:
        raise CallEnded
    if input.book_id == -1:
        raise RateLimited(2.5)
    if input.book_id == -2:
        raise ZeroDivisionError("a secret")
    done.append(input.book_id)
    return LendPayload(book_id=input.book_id, token=f"{info.context.session.role} {info.context.world}", other_ids=input.others or [])


async def lent(ids: list[int | None]) -> list[LentBook]:
    return [LentBook(book_id=book_id) for book_id in ids]


async def shelf(ids: list[int | None]) -> Shelf:
    return Shelf(lent=await lent(ids))


@strawberry.type
class Tick:
    n: int
    deep: "Tick | None" = None


async def ticks(count: int) -> AsyncIterator[Tick]:
    for n in range(count):
        yield Tick(n=n, deep=Tick(n=n))
    if count == 3:
        raise CallEnded


ACTIONS = ActionFields(
    query=(cast(Any, strawberry.field(resolver=lent, name="lent")), cast(Any, strawberry.field(resolver=shelf, name="shelf"))),
    mutation=(strawberry.field(resolver=lend, name="lend"),),
    subscription=(cast(Any, strawberry.subscription(resolver=ticks, name="ticks", metadata={ROLES: frozenset({"patron"})})),),
)


@pytest.fixture(scope="module")
def engine(books: Library) -> Engine:
    roles = dict(books.resolved.roles)
    for name in ("patron", "admin"):
        old = roles[name]
        roles[name] = RoleRules(name, old.select, old.insert, old.update, old.delete, frozenset({"lend", "lent", "shelf"}))
    return Engine.build(books.resolved.catalog, roles, Unshared(books.database), ACTIONS)


async def ask(engine: Engine, query: str, session: Session = PATRON, variables: dict[str, Any] | None = None) -> Any:
    return json.loads((await engine.execute(Request(query, variables or {}), session, "world")).body)


@pytest.mark.anyio
async def test_a_payload_holds_rows_with_the_callers_permissions(engine: Engine) -> None:
    query = """mutation ($w: [book_order_by], $in: LendInput!) { x: lend(input: $in) {
        token b: book { t: title author { name books(order_by: $w, limit: 1) { id } } } others { id } } }"""
    answer = await ask(engine, query, variables={"in": {"book_id": 1, "others": [5, 2, 3]}, "w": [{"id": "desc"}]})
    book = {"t": "Peer Gynt", "author": {"name": "Ibsen", "books": [{"id": 1}]}}
    assert answer == {"data": {"x": {"token": "patron world", "b": book, "others": [{"id": 5}, {"id": 3}]}}}
    hidden = await ask(engine, "mutation { lend(input: {book_id: 2}) { book { id } others { id } } }")
    assert hidden == {"data": {"lend": {"book": None, "others": []}}}


@pytest.mark.anyio
@pytest.mark.parametrize(("before", "after"), [("lent(ids: $ids)", ""), ("shelf(ids: $ids) { lent", "}")])
async def test_rows_of_payloads_in_a_list_are_read_together(
    engine: Engine, books: Library, monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    statements: list[str] = []
    fetch = type(books.database).fetch_json

    async def counted(self: Any, sql: str, arguments: Any) -> bytes:
        statements.append(sql)
        return await fetch(self, sql, arguments)

    monkeypatch.setattr(type(books.database), "fetch_json", counted)
    query = f"query ($ids: [Int]!) {{ {before} {{ b: book {{ __typename t: title author {{ name }} }} }} {after} }}"
    # Twice the same, nothing, a hidden one, one that is not there.
    answer = (await ask(engine, query, variables={"ids": [5, 1, 5, None, 2, 999]}))["data"]
    rows = answer["lent"] if "lent" in answer else answer["shelf"]["lent"]
    assert [row["b"] and row["b"]["t"] for row in rows] == [rows[0]["b"]["t"], "Peer Gynt", rows[0]["b"]["t"], None, None, None]
    assert rows[1]["b"] == {"__typename": "book", "t": "Peer Gynt", "author": {"name": "Ibsen"}}
    assert len(statements) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("book", "code", "message", "extra"),
    [
        (0, "call-ended", "The call has ended.", {}),
        (-1, "rate-limited", "Too many requests; wait and try again.", {"retryAfter": 2.5}),
    ],
)
async def test_a_refused_action_says_code_sentence_and_field(
    engine: Engine, book: int, code: str, message: str, extra: dict[str, Any]
) -> None:
    answer = await ask(engine, "mutation ($b: Int!) { alias: lend(input: {book_id: $b}) { token } }", variables={"b": book})
    assert answer == {"errors": [{"message": message, "extensions": {"path": "$.selectionSet.lend", "code": code, **extra}}]}


@pytest.mark.anyio
async def test_a_fault_tells_the_client_nothing_but_an_id(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    query = "mutation { lend(input: {book_id: -2}) { token } }"
    error = error_in(await ask(engine, query), query)
    assert error["message"] == "internal error"
    assert error["extensions"]["code"] == "unexpected"
    logged = capsys.readouterr().out
    assert error["extensions"]["id"] in logged
    assert "secret" not in logged


@pytest.mark.anyio
async def test_nothing_acts_when_anything_in_the_document_is_invalid(engine: Engine) -> None:
    done.clear()
    for bad, path in (
        ("mutation { lend(input: {book_id: 1}) { book { stock } } }", "$.selectionSet.lend.selectionSet.book.selectionSet.stock"),
        ("mutation { lend(input: {book_id: 1, x: 2}) { token } }", "$.selectionSet.lend.args.input.x"),
        ("mutation { lend(input: {}) { token } }", "$.selectionSet.lend.args.input.book_id"),
        ("mutation { lend(input: {book_id: 1}) { token } nothing }", "$.selectionSet.nothing"),
        ('mutation { lend(input: {book_id: "x"}) { token } }', "$.selectionSet.lend"),
    ):
        assert error_in(await ask(engine, bad), bad)["extensions"] == {"path": path, "code": "validation-failed"}, bad
    assert done == []


@pytest.mark.anyio
async def test_beside_an_action_each_field_commits_by_itself(engine: Engine, fresh_books: Library) -> None:
    done.clear()
    author = 'insert_author_one(object: {name: "%s"}) { name }'
    query = "mutation {{ a: {} lend(input: {{book_id: 7}}) {{ token }} b: {} c: {} }}".format(
        author % "Lie", author % "Ibsen", author % "Never"
    )
    error = error_in(await ask(engine, query, ADMIN), query)
    assert error["extensions"]["path"] == "$.selectionSet.insert_author_one.args.object"
    assert done == [7]
    names = await fresh_books.value("SELECT array_agg(name ORDER BY name) FROM author")
    assert names == ["Hamsun", "Ibsen", "Lie", "Undset"]


@pytest.mark.anyio
async def test_tables_and_introspection_in_one_query_keep_their_order(engine: Engine) -> None:
    answer = await ask(engine, '{ __typename book(limit: 1) { id } t: __type(name: "book") { name } z: book_by_pk(id: 1) { id } }')
    assert list(answer["data"].items()) == [("__typename", "query_root"), ("book", [{"id": 1}]), ("t", {"name": "book"}), ("z", {"id": 1})]


@pytest.mark.anyio
async def test_a_subscription_sends_its_events_and_ends_with_its_refusal(engine: Engine) -> None:
    request = Request("subscription ($n: Int!) { ticks(count: $n) { n } }", {"n": 2})
    assert await engine.live_query(request, PATRON) is None
    assert [orjson.loads(payload) async for payload in engine.subscribe(request, PATRON)] == [{"data": {"ticks": {"n": n}}} for n in (0, 1)]
    for role, visible in (("patron", True), ("admin", True), ("guest", False)):
        answer = await ask(engine, '{ __type(name: "subscription_root") { fields { name } } }', Session(role))
        assert ("ticks" in [field["name"] for field in answer["data"]["__type"]["fields"]]) is visible


@pytest.mark.anyio
async def test_a_long_subscription_does_not_grow(engine: Engine) -> None:
    request = Request("subscription { ticks(count: 3000) { n deep { n deep { n } } } }")
    sizes = []
    seen = 0
    async for _ in engine.subscribe(request, PATRON):
        seen += 1
        if seen in (1_000, 3_000):
            gc.collect()
            sizes.append(len(gc.get_objects()))
    assert sizes[1] - sizes[0] < 500


@pytest.mark.anyio
async def test_every_role_has_a_valid_schema_of_its_own(engine: Engine, books: Library) -> None:
    """Guards the copied Strawberry schema, types that Strawberry has not made, and hidden ones."""
    for role in [*books.resolved.roles, "nobody"]:
        for backend_only in (False, True):
            view = engine._views.of(Session(role, backend_only=backend_only))
            assert validate_schema(view.schema._schema) == [], role
            answer = await ask(engine, get_introspection_query(), Session(role, backend_only=backend_only))
            assert "errors" not in answer
    nobody = await ask(engine, "{ __schema { types { name } mutationType { name } } no_queries_available }", Session("nobody"))
    names = {type_["name"] for type_ in nobody["data"]["__schema"]["types"] if not type_["name"].startswith("__")}
    # The last for an argument of `@cached`.
    assert names == {"query_root", "String", "Boolean", "Int"}
    assert nobody["data"]["__schema"]["mutationType"] is None
    assert nobody["data"]["no_queries_available"] == NO_QUERIES


@pytest.mark.anyio
@pytest.mark.parametrize("root", ["book { id }", "ticks(count: 1) { n }"])
async def test_subscriptions_are_not_answered_once(engine: Engine, root: str) -> None:
    query = f"subscription {{ {root} }}"
    assert error_in(await ask(engine, query), query)["extensions"] == {"path": "$", "code": "unexpected-payload"}
    for two in (f"{root} again: {root}", f"{root} __typename"):
        with pytest.raises(GraphQLRefusal, match="subscriptions must select one top level field"):
            await engine.live_query(Request(f"subscription {{ {two} }}"), PATRON)


@pytest.mark.anyio
async def test_a_schema_is_told_once_a_role(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "{ __schema { types { name } } %s: __typename }"
    told = {role: await ask(engine, query % "a", Session(role)) for role in ("patron", "guest")}
    assert told["patron"] != told["guest"]

    def never(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr("resolvers.planner.introspect", never)
    for role, answer in told.items():
        assert (await ask(engine, query % "b", Session(role)))["data"]["__schema"] == answer["data"]["__schema"]


@pytest.mark.anyio
async def test_a_request_with_an_action_is_at_most_so_large_and_does_nothing(engine: Engine) -> None:
    query = "mutation($i: LendInput!) { lend(input: $i) { token } }"
    given = {"i": {"book_id": 1}}
    done.clear()
    refused = (await engine.execute(Request(query, given, size=LARGEST_ACTION + 1), PATRON)).refusal
    assert refused is not None
    assert (refused.code, done) == ("validation-failed", [])
    assert (await engine.execute(Request(query, given, size=LARGEST_ACTION), PATRON)).refusal is None
    assert done == [1]
    tables = await engine.execute(Request("query($i: [Int!]) { book(where: {id: {_in: $i}}) { id } }", {"i": [1]}, size=1 << 20), PATRON)
    assert tables.refusal is None
