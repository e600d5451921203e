"""Connections that stay at hand: used again, given to who waits, and never kept when something is wrong with them."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from app.database import warm_connections
from app.database.pool import open_pool
from app.database.warm_connections import WarmConnections
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

ALL = 2
OURS = "FROM pg_stat_activity WHERE application_name = 'nchat-rtc graphql' AND datname = current_database()"


@pytest.fixture
async def connections(empty_database_url: str) -> AsyncIterator[WarmConnections]:
    async with open_pool(empty_database_url, max_size=ALL) as opened:
        yield opened


async def becomes(condition: Callable[[], bool]) -> None:
    async def look() -> bool:
        return condition()

    await eventually(look)


async def pid(connections: WarmConnections) -> int:
    async with connections.acquire() as connection:
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def test_the_one_used_last_is_lent_first(connections: WarmConnections) -> None:
    async with connections.acquire() as first, connections.acquire() as second:
        last = await first.fetchval("SELECT pg_backend_pid()")
        assert last != await second.fetchval("SELECT pg_backend_pid()")
    assert [await pid(connections) for _ in range(5)] == [last] * 5
    assert connections.size() == (ALL, ALL)


async def test_who_waits_gets_the_one_that_comes_back(connections: WarmConnections) -> None:
    async with connections.acquire() as first, connections.acquire():
        waiting = [asyncio.create_task(pid(connections)) for _ in range(20)]
        await becomes(lambda: connections._waiting > 0)
        kept = await first.fetchval("SELECT pg_backend_pid()")
    assert kept in {await one for one in waiting}
    assert connections.size() == (ALL, ALL)


async def test_one_whose_statement_was_given_up_is_clean_when_it_is_lent_again(
    connections: WarmConnections, other: "asyncpg.Connection"
) -> None:
    async def slow() -> None:
        async with connections.acquire() as connection:
            await connection.execute("SELECT pg_sleep(60)")

    running = [asyncio.create_task(slow()) for _ in range(ALL)]
    await eventually(lambda: other.fetchval(f"SELECT count(*) = {ALL} {OURS} AND query LIKE '%sleep%' AND state = 'active'"))
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    async with connections.acquire() as first, connections.acquire() as second:
        assert set(await asyncio.gather(first.fetchval("SELECT 1"), second.fetchval("SELECT 2"))) == {1, 2}


async def test_one_that_was_given_up_between_being_planned_and_being_run_leaves_nothing_open(
    connections: WarmConnections, other: "asyncpg.Connection"
) -> None:
    """The time limit would run on, and end the statement of whoever is lent it next."""
    backend = asyncio.get_running_loop().create_future()

    async def given_up() -> None:
        async with connections.acquire() as connection:
            backend.set_result(await connection.fetchval("SELECT pg_backend_pid()"))
            await connection.fetch("SELECT 1 AS planned_and_never_run")

    task = asyncio.create_task(given_up())
    await backend
    # Its plan has arrived, and it was not woken yet: what asyncpg waits for is over, so nothing of it is cancelled.
    for _ in range(1_000_000):
        waiter = task._fut_waiter  # type: ignore[attr-defined]
        if waiter is not None and waiter.done():
            break
        await asyncio.sleep(0)
    assert task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    state = await other.fetch("SELECT state, xact_start FROM pg_stat_activity WHERE pid = $1", await backend)
    assert list(map(tuple, state)) == [("idle", None)]
    assert await pid(connections) == await backend


async def test_none_is_lent_again_that_the_server_closed_or_that_expired(connections: WarmConnections, other: "asyncpg.Connection") -> None:
    async with connections.acquire() as first, connections.acquire() as second:
        closed, expired = [await each.fetchval("SELECT pg_backend_pid()") for each in (first, second)]
    await other.fetch("SELECT pg_terminate_backend($1)", closed)
    await becomes(lambda: len([lent for lent in connections._warm if lent.is_open()]) == 1)
    assert await pid(connections) == expired
    async with connections.acquire() as busy:
        await connections.expire()
        assert await busy.fetchval("SELECT pg_backend_pid()") == expired, "what it does is not disturbed"
    assert await pid(connections) not in (closed, expired)


async def test_what_nobody_uses_goes_back_to_the_pool(connections: WarmConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_connections, "UNUSED", 0.01)
    await pid(connections)
    assert len(connections._warm) == 1
    await becomes(lambda: not connections._warm)
    assert connections._pool.get_idle_size() == connections._pool.get_size()


async def test_one_that_was_at_hand_for_long_goes_back_too(connections: WarmConnections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm_connections, "AT_MOST", -1.0)
    await pid(connections)
    assert connections._warm == []


async def test_closing_waits_for_what_is_lent_and_says_goodbye_to_all(empty_database_url: str, other: "asyncpg.Connection") -> None:
    async with open_pool(empty_database_url, max_size=ALL) as connections, connections.acquire():
        await pid(connections)
    await eventually(lambda: other.fetchval(f"SELECT count(*) = 0 {OURS}"))
