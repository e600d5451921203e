"""Slow statements: of one person on many connections, of many persons and addresses at once, of many live queries on one socket."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from devstack.demo_data import GENERAL, USER_IDS
from tests.hostile.attacked_service import AttackedService, AttackedServices
from tests.hostile.many_callers import Caller, press
from tests.hostile.scale import scaled
from tests.support.waiting import eventually
from tests.transport.fakes import Client, websocket

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

# A text without repetition in which the pattern looks for one takes PostgreSQL many seconds.
PEOPLE = """INSERT INTO nchat_users (id, username, display_name)
    SELECT gen_random_uuid(), 'person ' || n, md5(n::text) || md5((n + 1)::text) FROM generate_series(1, 50) n"""
PATTERN = r"^(.+)(.+)(.+)(.+)(.{4,})(.+)(.+)\\5"
SLOW = f'nchat_users(where: {{display_name: {{_regex: "{PATTERN}"}}}}) {{ id }}'
SECONDS = scaled(20, 4)
# Of one operation: its default, and half the attack's length.
TIMEOUT = scaled(5, 2)
STREAMS = """INSERT INTO nchat_streams (channel_id, host_id, title, visibility)
    SELECT $1, $2, md5(n::text) || md5((n + 1)::text), 'public' FROM generate_series(1, 50) n"""
RUNNING = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'nchat-rtc graphql' AND state = 'active'"""


@pytest.fixture
async def database(demo_database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(demo_database_url)
    await connection.execute(PEOPLE)
    yield connection
    await connection.close()


@pytest.fixture
async def attacked(services: AttackedServices) -> AsyncIterator[AttackedService]:
    async with services.open(statement_timeout=TIMEOUT) as ready:
        yield ready


async def nothing_runs(database: "asyncpg.Connection[Any]") -> bool:
    return not await database.fetchval(RUNNING)


async def test_one_person_on_many_connections(database: "asyncpg.Connection[Any]", attacked: AttackedService) -> None:
    async with attacked.good_neighbour():
        codes = await press(attacked, [Caller(attacked.bearer("bob"))], f"{{ {SLOW} }}", connections=30, seconds=SECONDS)
    assert set(codes) <= {"time-limit-exceeded", "rate-limited"}, codes
    await eventually(lambda: nothing_runs(database))


async def test_several_persons_at_once(database: "asyncpg.Connection[Any]", attacked: AttackedService) -> None:
    callers = [Caller(attacked.bearer(name)) for name in ("bob", "carol", "dave", "mallory", "mod")]
    async with attacked.good_neighbour():
        codes = await press(attacked, callers, f"{{ {SLOW} }}", connections=8, seconds=SECONDS)
    assert set(codes) <= {"time-limit-exceeded", "rate-limited"}, codes
    await eventually(lambda: nothing_runs(database))


async def test_several_addresses_without_a_token(database: "asyncpg.Connection[Any]", attacked: AttackedService) -> None:
    await database.execute(STREAMS, GENERAL, USER_IDS["bob"])
    slow = f'{{ nchat_streams(where: {{title: {{_regex: "{PATTERN}"}}}}) {{ id }} }}'
    callers = [Caller(address=f"127.0.0.{number}") for number in range(2, 2 + scaled(16, 8))]
    async with attacked.good_neighbour():
        codes = await press(attacked, callers, slow, connections=4, seconds=SECONDS)
    assert set(codes) <= {"time-limit-exceeded", "rate-limited"}, codes
    await eventually(lambda: nothing_runs(database))


async def test_thirty_slow_live_queries_on_one_socket(database: "asyncpg.Connection[Any]", attacked: AttackedService) -> None:
    async with AsyncExitStack() as stack:
        address = attacked.url.removeprefix("http://")
        eve = await opened(stack, address, attacked.bearer("mallory"))
        bob = await opened(stack, address, attacked.bearer("bob"))
        async with attacked.good_neighbour():
            for number in range(30):
                slow = SLOW.replace(".{4,}", f".{{4,{60 + number}}}")
                await eve.subscribe(f"subscription {{ {slow} }}", str(number))
            await bob.subscribe('subscription { nchat_users(where: {username: {_eq: "bob"}}) { display_name } }')
            assert (await bob.receive())["type"] == "next"
            # Others' live queries go on while hers wait for each other.
            for number in range(scaled(10, 3)):
                await database.execute("UPDATE nchat_users SET display_name = $1 WHERE id = $2", f"Bob {number}", USER_IDS["bob"])
                told = await bob.receive()
                assert told["payload"] == {"data": {"nchat_users": [{"display_name": f"Bob {number}"}]}}
            refused = await eve.receive(30)
            assert refused["type"] == "error", refused
            assert refused["payload"][0]["extensions"]["code"] in ("time-limit-exceeded", "rate-limited")
    await eventually(lambda: nothing_runs(database))


async def opened(stack: AsyncExitStack, address: str, headers: dict[str, str]) -> Client:
    client = await stack.enter_async_context(websocket(address))
    await client.init(headers)
    return client
