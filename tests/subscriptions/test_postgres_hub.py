"""Hints through PostgreSQL: other processes hear them, whatever happens to the connections, and no flood is too much."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from statistics import median
from typing import Any

import asyncpg
import pytest

from app.hints import BroadcastHub, open_hub
from app.hints.hub import hub_over
from app.hints.notifications import MOST_BYTES, packed, unpacked
from app.hints.postgres_backend import CHANNEL, PostgresBackend
from app.hints.waiting_topics import MAX_WAITING
from devstack.postgres import EmbeddedPostgres
from domain.ports import Hint
from tests.subscriptions.test_hub import LONG, connected, disconnected, during_the_outage, heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

Two = tuple[BroadcastHub, BroadcastHub]

# The server's processes that serve the hubs of this test.
HUBS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'nchat-rtc hints' AND datname = current_database()"


@pytest.fixture
async def two(empty_database_url: str) -> AsyncIterator[Two]:
    """The hubs of two processes, connected."""
    async with open_hub(database_url=empty_database_url) as here, open_hub(database_url=empty_database_url) as there:
        await connected(here, there)
        yield here, there


@pytest.fixture
async def admin(empty_database_url: str) -> AsyncIterator["asyncpg.Connection"]:
    connection = await asyncpg.connect(empty_database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One that may be stopped, and is started again at a test's end."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("stopped"), durable=False)
    server.start()
    yield server
    server.stop()


async def terminate(admin: "asyncpg.Connection") -> int:
    """How many connections of hubs there were to end."""
    return int(await admin.fetchval(f"SELECT count(pg_terminate_backend(pid)) FROM ({HUBS}) AS hubs"))


async def test_a_hint_of_another_process_arrives_within_a_fifth_of_a_second(two: Two) -> None:
    here, there = two
    took = list[float]()
    for number in range(20):
        async with here.follow([f"call:{number}"]) as following:
            began = time.monotonic()
            await there.publish([Hint(f"call:{number}"), Hint("another")])
            await following.changed(LONG)
            took.append(time.monotonic() - began)
    # One of them may meet a machine that does something else.
    assert median(took) < 0.2, took


async def test_one_who_publishes_hears_once_and_others_nothing_of_what_they_do_not_follow(two: Two) -> None:
    here, there = two
    async with here.follow(["a"]) as following, there.follow(["b"]) as other:
        await here.publish([Hint("a"), Hint("a")])
        assert await heard(following, LONG)
        # The echo comes from the server, and is known.
        assert not await heard(following, 0.3)
        assert not await heard(other, 0)


async def test_connections_that_are_terminated_are_made_again(two: Two, admin: "asyncpg.Connection") -> None:
    here, there = two
    async with here.follow(["a"]) as following:
        for _ in range(4):
            await connected(here, there)
            await there.publish([Hint("a")])
            assert await heard(following, LONG)
            assert await terminate(admin) >= 2
            # What passed unheard is unknown, so everyone looks.
            assert await heard(following, LONG)
            while await heard(following, 0.1):
                pass


@pytest.fixture
async def half_made_connections() -> AsyncIterator[None]:
    """A server that stops while asyncpg connects leaves a future of its own behind, which nobody can await."""
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()

    def without_asyncpgs(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "unexpected connection_lost()" not in str(context.get("exception")):
            (handler or asyncio.AbstractEventLoop.default_exception_handler)(loop, context)

    loop.set_exception_handler(without_asyncpgs)
    yield
    gc.collect()
    loop.set_exception_handler(handler)


@pytest.mark.usefixtures("half_made_connections")
async def test_a_server_that_restarts(own_server: EmbeddedPostgres) -> None:
    url = own_server.url
    async with open_hub(database_url=url) as here, open_hub(database_url=url) as there, here.follow(["a", "b"]) as following:
        await connected(here, there)
        own_server.stop()
        await disconnected(here, there)
        with pytest.raises(ConnectionError):
            await here.look()
        await during_the_outage(here, there)
        await asyncio.to_thread(own_server.start)
        await connected(here, there)
        await here.look()
        assert await heard(following, LONG)
        while await heard(following, 0.1):
            pass
        await there.publish([Hint("b")])
        assert await heard(following, LONG)


async def test_a_server_that_answers_no_ping_is_left(empty_database_url: str, admin: "asyncpg.Connection") -> None:
    async with hub_over(PostgresBackend(empty_database_url, ping_every=0.2)) as here, here.follow(["a"]) as following:
        await connected(here)
        while await heard(following, 0.1):
            pass
        # Its own process of the server: to the hub that is a server which has frozen.
        frozen: int = await admin.fetchval(HUBS)
        os.kill(frozen, signal.SIGSTOP)
        try:
            # That what passed may be unknown is told by nothing but another connection.
            assert await heard(following, LONG)
            assert here.connected
        finally:
            os.kill(frozen, signal.SIGCONT)


async def test_without_a_server_at_the_start(own_server: EmbeddedPostgres) -> None:
    own_server.stop()
    async with open_hub(database_url=own_server.url) as here, here.follow(["a"]) as following:
        assert not await heard(following, 0.2)
        await asyncio.to_thread(own_server.start)
        assert await heard(following, LONG)
        await connected(here)


async def test_a_flood_is_gathered_into_few_payloads_that_postgresql_takes(two: Two, admin: "asyncpg.Connection") -> None:
    here, there = two
    payloads: list[str] = []
    await admin.add_listener(CHANNEL, lambda *said: payloads.append(str(said[3])))
    topics = [f"table:{'é' * 20}.{number}" for number in range(MAX_WAITING)]
    async with here.follow([topics[-1]]) as following:
        while await heard(following, 0.1):
            pass
        for _ in range(3):
            await there.publish([Hint(topic) for topic in topics])
        assert await heard(following, LONG)

    async def all_said() -> bool:
        return {topic for payload in payloads for topic in unpacked(payload)[1]} == set(topics)

    await eventually(all_said)
    assert max(map(len, payloads)) <= MOST_BYTES
    assert len(payloads) < MAX_WAITING / 20


async def test_more_topics_than_wait_do_no_harm(two: Two) -> None:
    """What is left out costs its readers a look; afterwards hints arrive as before."""
    here, there = two
    await there.publish([Hint(f"call:{number}") for number in range(3 * MAX_WAITING)])
    async with here.follow(["a"]) as following:

        async def arrives() -> bool:
            await there.publish([Hint("a")])
            return await heard(following, 0.2)

        await eventually(arrives)


async def test_the_longest_payload_is_one_that_postgresql_takes(admin: "asyncpg.Connection") -> None:
    origin, longest = "o" * 32, "t" * (MOST_BYTES - 33)
    payloads = list(packed(origin, ["a", longest, longest + "t", "b"]))
    assert [unpacked(payload)[1] for payload in payloads] == [["a"], [longest], ["b"]]
    for payload in payloads:
        await admin.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
    with pytest.raises(asyncpg.PostgresError, match="too long"):
        await admin.execute("SELECT pg_notify($1, $2)", CHANNEL, payloads[1] + "t")


def test_every_name_of_a_table_survives() -> None:
    topics = ["table:public.a b", "table:%41", "line\nbreak", "null\x00", "ü€😀", "", "user:x/y?z=1&c"]
    assert [unpacked(payload) for payload in packed("origin", topics)] == [("origin", topics)]
    assert all(payload.isascii() for payload in packed("origin", [*topics, "\ud800"]))


@pytest.mark.parametrize("payload", ["", "a", "é %zz %", "x " * 3000])
async def test_what_others_say_on_the_channel_does_no_harm(two: Two, admin: "asyncpg.Connection", payload: str) -> None:
    here, there = two
    async with here.follow(["a"]) as following:
        await admin.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await there.publish([Hint("a")])
        assert await heard(following, LONG)
    assert here.connected
