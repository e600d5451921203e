"""The pool as principals share it, on a real PostgreSQL: time limits, cancelled statements, places of requests and looks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from app.database.pool import MAX_STATEMENT_BYTES, PoolDatabase, open_pool
from app.database.shares.shared_pool import SharedPool, StatementLimits, pool_size
from resolvers.run.database_refusals import refusal
from resolvers.sql.database import Asker, DatabaseError, TookTooLong
from schema.model import TableName
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

REQUESTS = 5
# All but the last, which is for those who are known.
OF_STRANGERS = 4
EVE, MALLORY, BOB, ADMIN = Asker("user eve"), Asker("user mallory"), Asker("user bob"), Asker("admin", is_admin=True)
SLOW = "SELECT to_json(pg_sleep(60)::text)"
# Planned anew each time it is asked.
LONG = SLOW + " -- " + "x" * MAX_STATEMENT_BYTES
QUICK = "SELECT to_json(1)"
LONG_AND_QUICK = QUICK + " -- " + "x" * MAX_STATEMENT_BYTES
LIMIT_NOW = "SELECT to_json(current_setting('statement_timeout'))"
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'nchat-rtc graphql' AND state = 'active' AND query LIKE '%sleep%'"
END_ALL = f"SELECT pg_cancel_backend(pid) FROM ({RUNNING.replace('count(*)', 'pid')}) AS running"


class Telling:
    """Notes what was told, and holds up whoever tells until it may go on."""

    def __init__(self) -> None:
        self.told, self.go_on = asyncio.Event(), asyncio.Event()

    async def publish(self, _hints: object) -> None:
        self.told.set()
        await self.go_on.wait()


class Silent:
    async def publish(self, _hints: object) -> None:
        return None


@asynccontextmanager
async def open_shared(url: str, limits: StatementLimits, requests: int = REQUESTS) -> AsyncIterator[SharedPool]:
    async with open_pool(url, max_size=pool_size(requests)) as pool:
        yield SharedPool(PoolDatabase(pool, Silent()), requests, limits, time.monotonic)


@pytest.fixture
async def shared(empty_database_url: str) -> AsyncIterator[SharedPool]:
    async with open_shared(empty_database_url, StatementLimits(share=4)) as pool:
        yield pool


async def running(other: "asyncpg.Connection", number: int) -> None:
    async def so_many() -> bool:
        return bool(await other.fetchval(RUNNING) == number)

    await eventually(so_many)


async def test_postgresql_ends_what_takes_too_long_and_says_so_in_words(empty_database_url: str, other: "asyncpg.Connection") -> None:
    async with open_shared(empty_database_url, StatementLimits(seconds=0.5)) as shared:
        with pytest.raises(TookTooLong) as caught:
            await shared.request(EVE).fetch_json(SLOW, [])
        refused = refusal(caught.value)
        assert refused is not None
        assert (refused.code, refused.message) == ("time-limit-exceeded", "the query took longer than 0.5 s; ask for less")
        assert await other.fetchval(RUNNING) == 0
        assert await shared.request(EVE).fetch_json(QUICK, []) == b"1"


async def test_a_transaction_that_takes_too_long_has_written_nothing(empty_database_url: str, other: "asyncpg.Connection") -> None:
    await other.execute("CREATE TABLE thing (name text)")
    async with open_shared(empty_database_url, StatementLimits(seconds=0.2)) as shared:
        with pytest.raises(TookTooLong):
            async with shared.request(EVE).transaction() as transaction:
                await transaction.fetch_json("INSERT INTO thing VALUES ('a') RETURNING '1'::json", [])
                await transaction.fetch_json(SLOW, [])
        assert await other.fetchval("SELECT count(*) FROM thing") == 0


async def test_each_has_the_limit_of_its_own_on_whatever_connection(shared: SharedPool) -> None:
    for _ in range(3):
        limits = await asyncio.gather(
            *(shared.request(asker).fetch_json(LIMIT_NOW, []) for asker in (EVE, ADMIN, BOB, ADMIN, EVE)),
        )
        assert limits == [b'"5s"', b'"30s"', b'"5s"', b'"30s"', b'"5s"']
    async with shared.request(EVE).transaction() as transaction:
        assert await transaction.fetch_json(LIMIT_NOW, []) == b'"5s"'


async def test_a_lock_that_is_not_given_free_is_a_time_limit_too(empty_database_url: str, other: "asyncpg.Connection") -> None:
    await other.execute("CREATE TABLE thing (name text)")
    async with open_shared(empty_database_url, StatementLimits(seconds=0.05)) as shared, other.transaction():
        await other.execute("LOCK TABLE thing IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(TookTooLong):
            await shared.request(EVE).fetch_json("SELECT to_json(count(*)) FROM thing", [])


async def test_who_hangs_up_stops_the_statement_in_postgresql(shared: SharedPool, other: "asyncpg.Connection") -> None:
    asked = [asyncio.create_task(shared.request(EVE).fetch_json(SLOW, [])) for _ in range(3)]
    await running(other, 3)
    for task in asked:
        task.cancel()
    assert all(isinstance(ended, asyncio.CancelledError) for ended in await asyncio.gather(*asked, return_exceptions=True))
    await running(other, 0)


async def test_a_storm_of_hanging_up_holds_up_nobody(shared: SharedPool, other: "asyncpg.Connection") -> None:
    async with asyncio.timeout(20):
        for _ in range(5):
            storm = [asyncio.create_task(shared.request(Asker(f"user {n}")).fetch_json(SLOW, [])) for n in range(40)]
            await running(other, OF_STRANGERS)
            for task in storm:
                task.cancel()
            assert await shared.request(BOB).fetch_json(QUICK, []) == b"1"
            await asyncio.gather(*storm, return_exceptions=True)
        await running(other, 0)
        # Every connection answers, and with its own answer.
        many = await asyncio.gather(*(shared.request(BOB).fetch_json(f"SELECT to_json({n})", []) for n in range(50)))
        assert many == [b"%d" % n for n in range(50)]


async def test_slow_requests_leave_looks_their_places_and_the_other_way_round(shared: SharedPool, other: "asyncpg.Connection") -> None:
    async def look(asker: Asker, sql: str) -> bytes:
        async with shared.look([asker]) as database:
            return await database.fetch_json(sql, [])

    slow = [asyncio.create_task(shared.request(Asker(f"user {n}")).fetch_json(SLOW, [])) for n in range(20)]
    await running(other, OF_STRANGERS)
    assert await look(BOB, QUICK) == b"1"
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)

    slow = [asyncio.create_task(look(Asker(f"user {n}"), SLOW)) for n in range(20)]
    await running(other, 2)
    assert await shared.request(BOB).fetch_json(QUICK, []) == b"1"
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_strangers_who_take_all_places_at_once_make_way(shared: SharedPool, other: "asyncpg.Connection") -> None:
    slow = [asyncio.create_task(shared.request(Asker(f"address {n}")).fetch_json(SLOW, [])) for n in range(5)]
    await running(other, OF_STRANGERS)
    assert await shared.request(BOB).fetch_json(QUICK, []) == b"1"
    given_up = [task for task in slow if task.done()]
    assert given_up
    with pytest.raises(DatabaseError, match="others are waiting"):
        given_up[0].result()
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_look_is_in_the_name_of_who_asks_least(shared: SharedPool, other: "asyncpg.Connection") -> None:
    async def look(askers: list[Asker], sql: str) -> bytes:
        async with shared.look(askers) as database:
            return await database.fetch_json(sql, [])

    slow = [asyncio.create_task(look([EVE], SLOW)) for _ in range(3)]
    await running(other, 1)
    assert await look([EVE, BOB], QUICK) == b"1"
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_one_person_has_a_few_actions_at_once_and_others_do_not_wait_for_them(shared: SharedPool) -> None:
    running: list[str] = []
    go_on = asyncio.Event()

    async def act(asker: Asker) -> None:
        async with shared.act(asker):
            running.append(asker.principal)
            await go_on.wait()

    tasks = [asyncio.create_task(act(asker)) for asker in [EVE] * 10 + [Asker(f"user {n}") for n in range(50)]]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert running.count(EVE.principal) == 4
    assert len(running) == 54
    # What an action reads has turns of its own: one that waits for nothing else never waits for itself.
    assert await shared.request(EVE).fetch_json(QUICK, []) == b"1"
    go_on.set()
    await asyncio.gather(*tasks)
    assert running.count(EVE.principal) == 10


async def test_a_commit_is_not_ended_for_others_and_its_hints_take_no_place(empty_database_url: str, other: "asyncpg.Connection") -> None:
    await other.execute("CREATE TABLE thing (name text)")
    publisher = Telling()
    async with open_pool(empty_database_url, max_size=pool_size(REQUESTS)) as pool:
        shared = SharedPool(PoolDatabase(pool, publisher), REQUESTS, StatementLimits(), time.monotonic)

        async def write() -> None:
            async with shared.request(EVE).transaction() as transaction:
                await transaction.fetch_json("INSERT INTO thing VALUES ('a') RETURNING '1'::json", [])
                transaction.wrote(TableName("public", "thing"))
                (turn,) = shared._requests._running
                # The last moment before the commit: whoever would be ended now is told so, and has committed.
                asyncio.get_running_loop().call_soon(turn.give_up)

        writing = asyncio.create_task(write())
        await asyncio.wait([writing, asyncio.create_task(publisher.told.wait())], return_when=asyncio.FIRST_COMPLETED)
        assert not shared._requests._running
        publisher.go_on.set()
        await writing
        assert await other.fetchval("SELECT count(*) FROM thing") == 1


async def test_the_time_of_a_transaction_is_that_of_all_its_statements(empty_database_url: str, other: "asyncpg.Connection") -> None:
    await other.execute("CREATE TABLE thing (name text)")
    async with open_shared(empty_database_url, StatementLimits(seconds=0.5)) as shared:
        with pytest.raises(TookTooLong, match=r"longer than 0\.5 s"):
            async with shared.request(EVE).transaction() as transaction:
                for _ in range(6):
                    await transaction.fetch_json("INSERT INTO thing SELECT pg_sleep(0.1)::text RETURNING '1'::json", [])
        assert await other.fetchval("SELECT count(*) FROM thing") == 0
        assert await shared.request(EVE).fetch_json(LIMIT_NOW, []) == b'"500ms"', "the rest was the transaction's alone"


async def test_an_error_that_needs_no_other_words_is_not_its_own_cause(shared: SharedPool) -> None:
    """Whoever walks along the causes would never come back."""
    with pytest.raises(DatabaseError) as caught:
        await shared.request(EVE).fetch_json("SELECT to_json(1/0)", [])
    assert caught.value.__cause__ is not caught.value
    with pytest.raises(DatabaseError) as caught:
        async with shared.request(EVE).transaction() as transaction:
            await transaction.fetch_json("SELECT to_json(1/0)", [])
    assert caught.value.__cause__ is not caught.value


async def test_a_transaction_may_take_its_limit_whatever_others_may(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.database.pool.STATEMENT_TIMEOUT", 1.0)
    async with open_shared(empty_database_url, StatementLimits()) as shared, shared.request(ADMIN).transaction() as transaction:
        assert await transaction.fetch_json("SELECT to_json(pg_sleep(1.3)::text)", [])


async def test_the_service_asks_its_own_questions_while_all_places_are_taken(empty_database_url: str, other: "asyncpg.Connection") -> None:
    async with open_pool(empty_database_url, max_size=pool_size(REQUESTS)) as pool:
        database = PoolDatabase(pool, Silent())
        shared = SharedPool(database, REQUESTS, StatementLimits(seconds=60), time.monotonic)

        async def look(asker: Asker) -> None:
            async with shared.look([asker]) as looking:
                await looking.fetch_json(SLOW, [])

        # As many as there are places for strangers: nobody waits, so nobody makes way.
        slow: list[asyncio.Task[object]] = [
            asyncio.create_task(shared.request(Asker(f"user {n}")).fetch_json(SLOW, [])) for n in range(OF_STRANGERS)
        ] + [asyncio.create_task(look(Asker(f"user {n}"))) for n in range(2)]
        await running(other, OF_STRANGERS + 2)
        async with asyncio.timeout(5):
            await database.ping()
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_of_long_statements_one_of_each_runs_and_short_ones_beside_it(shared: SharedPool, other: "asyncpg.Connection") -> None:
    """To plan them keeps a processor busy each: four of one principal would leave none to others."""

    async def ask(asker: Asker) -> None:
        with pytest.raises(DatabaseError):
            await shared.request(asker).fetch_json(LONG, [])

    async def end() -> None:
        await other.execute(END_ALL)

    of_eve = [asyncio.create_task(ask(EVE)) for _ in range(3)]
    await running(other, 1)
    assert await shared.request(EVE).fetch_json(QUICK, []) == b"1"
    assert await shared.request(BOB).fetch_json(QUICK, []) == b"1"
    for left in (2, 1, 0):
        # What ended makes room for the next of hers, never for two.
        await running(other, 1)
        await end()
        await eventually(lambda left=left: has_left(of_eve, left))  # type: ignore[misc]
    await asyncio.gather(*of_eve)
    await running(other, 0)


async def test_long_statements_that_take_long_leave_a_place_to_a_long_one_that_does_not(
    empty_database_url: str, other: "asyncpg.Connection"
) -> None:
    async with open_shared(empty_database_url, StatementLimits(seconds=60), requests=10) as shared:
        slow = [asyncio.create_task(shared.request(asker).fetch_json(LONG, [])) for asker in (EVE, MALLORY)]
        await running(other, 2)
        async with asyncio.timeout(5):
            assert await shared.request(BOB).fetch_json(LONG_AND_QUICK, []) == b"1"
        (made_way,) = [task for task in slow if task.done()]
        with pytest.raises(DatabaseError, match="others are waiting"):
            made_way.result()
        # One of them goes on: those that are slow have a place, too.
        await running(other, 1)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def has_left(tasks: list[asyncio.Task[None]], number: int) -> bool:
    return sum(not task.done() for task in tasks) == number
