"""What PostgreSQL said, and to which statement: for the role admin alone."""

import pytest

from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.engine import Engine
from tests.engine.following import following
from tests.engine.library import Library
from tests.support.refusals import error_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

TWICE = 'mutation { insert_author(objects: [{name: "twice"}, {name: "twice"}]) { affected_rows } }'


async def test_an_admin_is_told(fresh_books: Library) -> None:
    extensions = error_in(await fresh_books.ask(TWICE), TWICE)["extensions"]
    assert list(extensions) == ["path", "code", "internal"] and extensions["code"] == "constraint-violation"
    internal = extensions["internal"]
    assert internal["statement"].startswith("WITH") and "INSERT INTO" in internal["statement"] and "twice" not in internal["statement"]
    assert internal["prepared"] is True
    assert internal["error"] == {
        "exec_status": "FatalError",
        "status_code": "23505",
        "message": 'duplicate key value violates unique constraint "author_name_key"',
        "description": "Key (name)=(twice) already exists.",
        "hint": None,
    }
    assert await fresh_books.value("SELECT count(*) FROM author WHERE name = 'twice'") == 0


async def test_a_refused_read_too(books: Library) -> None:
    query = "query ($d: date) { book(where: {published_on: {_eq: $d}}) { id } }"
    extensions = error_in(await books.ask(query, {"d": "no day"}), query)["extensions"]
    assert extensions["internal"]["error"]["status_code"] == "22007"


@pytest.mark.parametrize("role", ["librarian", "reader", "nobody"])
async def test_a_role_never(books: Library, role: str) -> None:
    session = Session(role, {"x-hasura-user-id": "1", "x-hasura-branch-id": "1"}, trusted=True, backend_only=True)
    for query in ("query ($d: date) { book(where: {published_on: {_eq: $d}}) { id } }", TWICE):
        error = error_in(await books.ask(query, {"d": "no day"} if "$d" in query else {}, session=session), query)
        assert "internal" not in error["extensions"]
    assert await books.value("SELECT count(*) FROM author WHERE name = 'twice'") == 0


async def test_what_postgresql_did_not_refuse_has_none(books: Library) -> None:
    query = "{ book { nope } }"
    assert "internal" not in error_in(await books.ask(query), query)["extensions"]


async def test_a_setting_keeps_it_from_an_admin(books: Library) -> None:
    silent = Engine.build(books.resolved.catalog, books.resolved.roles, Unshared(books.database), admin_internal_errors=False)
    asked = Library(silent, books.database, books.resolved, books.pool)
    assert "internal" not in error_in(await asked.ask(TWICE), TWICE)["extensions"]


@pytest.mark.parametrize("role", ["admin", "librarian"])
@pytest.mark.parametrize("root", ["book(", "book_stream(batch_size: 5, cursor: {initial_value: {id: 0}}, "])
async def test_what_is_followed_tells_nobody(books: Library, role: str, root: str) -> None:
    """Neither does Hasura (`Poll/LiveQuery.hs`, `Poll/StreamingQuery.hs`): one look is for all who ask the same, whoever they are."""
    where, session = 'where: {title: {_regex: "("}}) { id }', Session(role, {"x-hasura-branch-id": "1"})
    query = f"subscription {{ {root}{where} }}"
    async with following(books, query, session=session) as answer:
        assert error_in(await answer(), query)["extensions"] == {"path": "$", "code": "data-exception"}
    asked = f"{{ book({where} }}"
    assert ("internal" in error_in(await books.ask(asked, session=session), asked)["extensions"]) is (role == "admin")


async def test_whether_it_had_begun_to_run_is_known(fresh_books: Library) -> None:
    """An older websocket protocol tells it in other words."""
    for query, ran in ((TWICE, True), ("{ book { nope } }", False), ("nonsense", False)):
        answer = await fresh_books.engine.execute(Request(query), Session("admin"))
        assert (answer.refusal is not None, answer.ran) == (True, ran), query
