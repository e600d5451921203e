"""Live queries over a database that the test plays: how often it is asked, and what its faults do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from app.hints import open_hub
from domain.ports import Hint
from permissions.errors import GraphQLRefusal
from resolvers.live.cohort import pause_after
from resolvers.live.cohorts import LiveQueries
from resolvers.live.live_query import LiveQuery
from resolvers.live.member import batches, rows_of
from resolvers.sql.database import NOBODY, Asker, DatabaseError, GaveWay, LookDatabase, TookTooLong
from resolvers.sql.live_plan import LivePlan
from schema.model import TableName
from tests.support.refusals import code_in
from tests.support.unshared import Unshared
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

BOOKS = TableName("public", "book")


class PlayedDatabase:
    """Answers with `answer`, or raises it; counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: bytes | Exception = b'{"data":1}'
        self.asked = 0
        # The only statement that answers with an exception; None: all.
        self.slow: str | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def fetch_rows(self, sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        self.asked += 1
        answer, sessions = self.answer, orjson.loads(arguments[-1] or "")
        await self.open.wait()
        if isinstance(answer, Exception):
            if self.slow in (None, sql):
                raise answer
            answer = b'{"data":1}'
        return [(number, answer) for number, _ in enumerate(sessions, 1)]


def live(sql: str = "SELECT 1", *arguments: str, own: tuple[str, ...] = (), asker: Asker = NOBODY) -> LiveQuery:
    binders = (*[lambda _session, _variables: None for _ in arguments], None)
    return LiveQuery(LivePlan(sql, binders, (), frozenset({BOOKS})), (*arguments, None), own, asker)


class Table:
    """One table, its live queries, and hints on it. Without a hint nobody looks again."""

    def __init__(self, database: PlayedDatabase, hub: Any) -> None:
        self.database, self._hub = database, hub
        self.reported: list[str] = []
        self.queries = LiveQueries(
            Unshared(cast(LookDatabase, database)), hub.follow, look_every=60, report=lambda refused: self.reported.append(refused.code)
        )

    async def put(self, answer: bytes | Exception) -> None:
        self.database.answer = answer
        await self._hub.publish([Hint("table:book")])


@pytest.fixture
async def table() -> AsyncIterator[Table]:
    async with open_hub() as hub:
        yield Table(PlayedDatabase(), hub)


@asynccontextmanager
async def reading(table: Table, query: LiveQuery) -> AsyncIterator[Any]:
    async with aclosing(table.queries.follow(query)) as payloads, asyncio.timeout(10):

        async def read() -> Any:
            return orjson.loads(await (await anext(payloads)).take())

        yield read


async def test_the_same_question_is_asked_once_for_all(table: Table) -> None:
    async with reading(table, live()) as one, reading(table, live()) as two, reading(table, live("SELECT 1", "other")) as other:
        assert await one() == await two() == await other() == {"data": 1}
        asked = table.database.asked
        await table.put(b'{"data":2}')
        assert await one() == await two() == await other() == {"data": 2}
        assert table.database.asked == asked + 2


async def test_a_table_that_changes_all_the_time_is_read_ten_times_a_second(table: Table) -> None:
    loop = asyncio.get_running_loop()
    async with reading(table, live()) as read:
        await read()
        began, asked = loop.time(), table.database.asked
        for number in range(2000):
            await table.put(b'{"data":%d}' % number)
            await asyncio.sleep(0)
            if loop.time() - began > 0.5:
                break
        assert table.database.asked - asked <= (loop.time() - began) / 0.1 + 2
        last = table.database.answer
        assert isinstance(last, bytes)
        while await read() != orjson.loads(last):
            pass


@pytest.mark.parametrize("sqlstate", ["22012", "08006", "XX000"])
async def test_a_fault_is_told_once_and_recovered_from(table: Table, sqlstate: str) -> None:
    """To everybody who follows, and once to whoever counts."""
    async with reading(table, live()) as read, reading(table, live()) as other:
        assert await read() == await other() == {"data": 1}
        await table.put(DatabaseError(sqlstate, "division by zero"))
        code = code_in(await read(), "the live query")
        assert code in ("data-exception", "postgres-error", "unexpected")
        asked = table.database.asked
        await table.put(DatabaseError(sqlstate, "division by zero"))

        async def asked_again() -> bool:
            return table.database.asked > asked

        await eventually(asked_again)
        assert table.reported == [code]
        await table.put(b'{"data":1}')
        assert await read() == {"data": 1}


async def test_whoever_leaves_takes_nothing_from_the_others(table: Table) -> None:
    async with reading(table, live()) as stays:
        await stays()
        for _ in range(3):
            async with reading(table, live()) as leaves:
                await leaves()
        await table.put(b'{"data":2}')
        assert await stays() == {"data": 2}
    asked = table.database.asked
    await table.put(b'{"data":3}')
    async with reading(table, live("SELECT 2")) as witness:
        assert await witness() == {"data": 3}
    assert table.database.asked == asked + 1


async def test_an_answer_that_was_overtaken_is_dropped(table: Table) -> None:
    async with reading(table, live()) as early:
        await early()
        table.database.open.clear()
        await table.put(b'{"data":"old"}')

        async def stuck() -> bool:
            return table.database.asked == 2

        await eventually(stuck)
        # A newcomer asks later and is answered with what is newer; both answers arrive together.
        table.database.answer = b'{"data":"new"}'
        async with reading(table, live()) as late:
            first = asyncio.create_task(late())
            await asyncio.sleep(0)
            table.database.open.set()
            assert await first == {"data": "new"}
            await table.put(b'{"data":"newest"}')
            while await early() != {"data": "newest"}:
                pass


async def test_a_broken_ear_ends_the_subscription_with_an_error() -> None:
    class Deaf:
        async def changed(self, within: float) -> float:  # noqa: ARG002
            raise RuntimeError("deaf")

        def seen(self) -> None:
            raise RuntimeError("deaf")

        def notify(self) -> None:
            raise RuntimeError("deaf")

    @asynccontextmanager
    async def follow(_topics: object) -> AsyncIterator[Deaf]:
        yield Deaf()

    queries = LiveQueries(Unshared(cast(LookDatabase, PlayedDatabase())), follow)
    async with aclosing(queries.follow(live())) as payloads:
        assert await (await anext(payloads)).take() == b'{"data":1}'
        with pytest.raises(GraphQLRefusal, match="internal error"):
            await anext(payloads)


async def test_what_takes_too_long_ends_for_those_who_ask_it_and_for_nobody_else(table: Table) -> None:
    async with reading(table, live()) as one, reading(table, live()) as two:
        assert await one() == await two() == {"data": 1}
        async with reading(table, live("SELECT 2")) as other:
            await other()
            slow, table.database.slow = TookTooLong("the query took longer than 5 s; ask for less"), "SELECT 1"
            await table.put(slow)
            for read in (one, two):
                with pytest.raises(GraphQLRefusal, match="longer than 5 s") as refused:
                    await read()
                assert refused.value.code == "time-limit-exceeded"
            table.database.slow = None
            await table.put(b'{"data":2}')
            assert await other() == {"data": 2}
    async with reading(table, live()) as again:
        assert await again() == {"data": 2}


async def test_one_live_query_too_many_is_refused_until_another_is_completed() -> None:
    async with open_hub() as hub:
        queries = LiveQueries(Unshared(cast(LookDatabase, PlayedDatabase())), hub.follow, look_every=60, most=2)
        eve, bob = Asker("user eve"), Asker("user bob")
        async with aclosing(queries.follow(of(eve, "1"))) as one, aclosing(queries.follow(of(eve, "2"))) as two:
            await anext(one)
            await anext(two)
            with pytest.raises(GraphQLRefusal, match="no more than 2 live queries") as refused:
                await anext(queries.follow(of(eve, "3")))
            assert refused.value.code == "limit-exceeded"
            async with aclosing(queries.follow(of(bob, "3"))) as others:
                assert await (await anext(others)).take() == b'{"data":1}'
            await one.aclose()
            async with aclosing(queries.follow(of(eve, "3"))) as three:
                assert await (await anext(three)).take() == b'{"data":1}'


def of(asker: Asker, argument: str) -> LiveQuery:
    return live("SELECT $1", argument, asker=asker)


@pytest.mark.parametrize(("size", "asked_again"), [(10, 0), (200_000, 1)])
async def test_a_large_answer_is_not_kept_for_who_is_slow(table: Table, size: int, asked_again: int) -> None:
    large = b'{"data":"' + b"x" * size + b'"}'
    async with reading(table, live()) as quick, reading(table, live()) as slow:
        await quick()
        await slow()
        await table.put(large)
        assert await quick() == orjson.loads(large)
        # Sent, and on to the next one: nobody holds it now.
        next_one = asyncio.create_task(quick())
        await asyncio.sleep(0)
        asked = table.database.asked
        assert await slow() == orjson.loads(large)
        assert table.database.asked - asked == asked_again
        next_one.cancel()
        await asyncio.gather(next_one, return_exceptions=True)


async def test_the_same_large_answer_is_told_once(table: Table) -> None:
    large = b'{"data":"' + b"x" * 200_000 + b'"}'
    async with reading(table, live()) as read:
        await read()
        await table.put(large)
        await read()
        asked = table.database.asked
        await table.put(bytes(bytearray(large)))

        async def looked() -> bool:
            return table.database.asked > asked

        await eventually(looked)
        await table.put(b'{"data":2}')
        assert await read() == {"data": 2}


def test_what_takes_long_rests_four_times_as_long() -> None:
    assert [round(pause_after([took]), 3) for took in (0, 0.01, 0.02, 1, 5)] == [0.1, 0.09, 0.08, 4, 20]
    assert [round(pause_after([0.02] * many), 3) for many in (0, 2, 10, 100)] == [0.1, 0.16, 0.8, 1]


@pytest.mark.parametrize("busy", [GaveWay(), GraphQLRefusal("rate-limited", "too much is asked at once", retryAfter=1)])
async def test_who_has_no_turn_now_keeps_what_it_has(table: Table, busy: Exception) -> None:
    async with reading(table, live()) as read:
        await read()
        asked = table.database.asked
        await table.put(busy)

        async def looked() -> bool:
            return table.database.asked > asked

        await eventually(looked)
        with pytest.raises(GraphQLRefusal):
            async with reading(table, live()) as newcomer:
                await newcomer()
        await table.put(b'{"data":2}')
        assert await read() == {"data": 2}


class Sessions:
    """A database that answers each session by what it brings; those of `bad` are refused, those of `slow` take too long."""

    def __init__(self) -> None:
        self.state, self.bad, self.slow = "old", set[str](), set[str]()
        self.statements: list[list[str]] = []

    async def fetch_rows(self, _sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
        asked = [own[0] for own in orjson.loads(arguments[-1] or "")]
        self.statements.append(asked)
        if self.slow.intersection(asked):
            raise TookTooLong("the query took longer than 5 s; ask for less")
        if self.bad.intersection(asked):
            raise DatabaseError("22P02", "invalid input syntax")
        return [(number, f'{{"data":"{self.state} {own}"}}'.encode()) for number, own in enumerate(asked, 1)]


@asynccontextmanager
async def crowd(number: int, sessions: Sessions) -> AsyncIterator[tuple[Any, list[Any]]]:
    """So many sessions of as many principals in one cohort, each with its first answer."""
    async with open_hub() as hub, asyncio.timeout(20):
        queries = LiveQueries(Unshared(cast(LookDatabase, sessions)), hub.follow, look_every=60)
        people = [queries.follow(live(own=(str(n),), asker=Asker(f"user {n}"))) for n in range(number)]
        for n, one in enumerate(people):
            assert await (await anext(one)).take() == f'{{"data":"old {n}"}}'.encode()
        sessions.statements.clear()
        yield hub, people
        for one in people:
            await one.aclose()


async def said(people: Sequence[Any]) -> list[Any]:
    """The next answer of each, or how it ended."""
    offers = await asyncio.gather(*(anext(one) for one in people), return_exceptions=True)
    return [offer if isinstance(offer, BaseException) else orjson.loads(await offer.take()) for offer in offers]


async def test_many_sessions_are_asked_for_a_hundred_at_once() -> None:
    sessions = Sessions()
    async with crowd(250, sessions) as (hub, people):
        sessions.state = "new"
        await hub.publish([Hint("table:book")])
        assert await said(people) == [{"data": f"new {n}"} for n in range(250)]
        assert sorted(map(len, sessions.statements)) == [50, 100, 100]


async def test_a_session_that_is_refused_is_told_by_itself_and_asked_for_by_itself_until_it_is_not() -> None:
    sessions = Sessions()
    async with crowd(100, sessions) as (hub, people):
        sessions.state, sessions.bad = "new", {"7"}
        await hub.publish([Hint("table:book")])
        told = await said(people)
        assert code_in(told.pop(7), "the live query") == "data-exception"
        assert told == [{"data": f"new {n}"} for n in range(100) if n != 7]
        sessions.statements.clear()
        sessions.state, sessions.bad = "newer", set()
        await hub.publish([Hint("table:book")])
        assert await said(people) == [{"data": f"newer {n}"} for n in range(100)]
        assert sorted(map(len, sessions.statements)) == [1, 99]
        sessions.statements.clear()
        sessions.state = "newest"
        await hub.publish([Hint("table:book")])
        await said(people)
        assert [len(asked) for asked in sessions.statements] == [100]


async def test_a_session_that_takes_too_long_ends_alone() -> None:
    sessions = Sessions()
    async with crowd(20, sessions) as (hub, people):
        sessions.state, sessions.slow = "new", {"7"}
        await hub.publish([Hint("table:book")])
        told = await said(people)
        ended = told.pop(7)
        assert isinstance(ended, GraphQLRefusal)
        assert ended.code == "time-limit-exceeded"
        assert told == [{"data": f"new {n}"} for n in range(20) if n != 7]


async def test_a_server_that_is_away_is_asked_once_for_all() -> None:
    sessions = Sessions()
    async with crowd(100, sessions) as (hub, people):

        async def away(_sql: str, arguments: Sequence[str | None]) -> Sequence[Sequence[Any]]:
            sessions.statements.append(orjson.loads(arguments[-1] or ""))
            raise DatabaseError("57P03", "the database system is starting up")

        sessions.fetch_rows = away  # type: ignore[method-assign]
        await hub.publish([Hint("table:book")])
        told = await said(people)
        assert {code_in(answer, "the live query") for answer in told} == {"postgres-error"}
        assert len(sessions.statements) == 1


def asks(own: str, took: float = 0.0, *, size: int = 0, alone: bool = False) -> Any:
    return SimpleNamespace(own=own.encode(), took=took, size=size, alone=alone)


def test_answers_of_one_statement_are_together_no_larger_than_one_may_be() -> None:
    found = list(batches(rows_of([asks(str(n), size=500_000) for n in range(10)])))
    assert [len(batch) for batch in found] == [4, 4, 2]


def test_what_takes_long_is_asked_alone() -> None:
    members = [asks("same"), asks("same"), *[asks(str(n), 0.0101) for n in range(30)], asks("slow", 3.0), asks("bad", alone=True)]
    found = [[row[0].own.decode() for row in batch] for batch in batches(rows_of(members))]
    assert [len(batch) for batch in found] == [1, 25, 6, 1]
    assert found[0] == ["bad"]
    assert found[-1] == ["slow"]
    assert "same" in found[1]
