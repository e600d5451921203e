"""The asyncpg pool behind the engine: bytes out, all or nothing, and alive when tables change under it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from app.database.pool import PoolDatabase, open_pool
from app.database.transactions import EngineTransactions, open_engine
from domain.ports import Hint
from permissions.session import Session
from resolvers.sql.database import DatabaseError
from schema.model import TableName

pytestmark = pytest.mark.anyio


class Published:
    """A publisher that remembers."""

    def __init__(self) -> None:
        self.hints: list[Hint] = []

    async def publish(self, hints: Sequence[Hint]) -> None:
        self.hints.extend(hints)


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
async def database(empty_database_url: str, published: Published) -> AsyncIterator[PoolDatabase]:
    async with open_pool(empty_database_url, max_size=4) as pool:
        yield PoolDatabase(pool, published)


async def test_the_answer_is_the_json_text_of_postgresql(database: PoolDatabase) -> None:
    assert await database.fetch_json("SELECT json_build_object('a', $1::text::int, 'b', 19.50)", ["7"]) == b'{"a" : 7, "b" : 19.50}'
    assert await database.fetch_json("""SELECT '{"b":1,"a":[2]}'::jsonb""", []) == b'{"a": [2], "b": 1}'
    assert await database.fetch_json("SELECT null::json", []) == b"null"


async def test_a_bad_value_is_answered_with_the_text_of_postgresql_and_without_detail(database: PoolDatabase) -> None:
    with pytest.raises(DatabaseError) as caught:
        await database.fetch_json("SELECT to_json($1::text::uuid)", ["abc"])
    assert (caught.value.sqlstate, caught.value.message) == ("22P02", 'invalid input syntax for type uuid: "abc"')


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_text_that_postgresql_can_not_hold_is_a_data_exception(database: PoolDatabase, text: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        await database.fetch_json("SELECT to_json($1::text)", [text])
    assert caught.value.sqlstate == "22021"


async def test_a_unique_violation_shows_no_row(database: PoolDatabase, other: "asyncpg.Connection") -> None:
    await other.execute("CREATE TABLE person (name text UNIQUE); INSERT INTO person VALUES ('secret')")
    with pytest.raises(DatabaseError) as caught:
        async with database.transaction() as connection:
            await connection.fetch_json("INSERT INTO person VALUES ('secret') RETURNING '1'::json", [])
    assert caught.value.sqlstate == "23505"
    assert caught.value.message == 'duplicate key value violates unique constraint "person_name_key"'


async def test_tables_may_be_dropped_and_made_again_between_requests(database: PoolDatabase, other: "asyncpg.Connection") -> None:
    for columns in ("name text", "name uuid, more int", "more int, name text"):
        await other.execute(f"DROP TABLE IF EXISTS thing; CREATE TABLE thing ({columns})")
        answers = await asyncio.gather(*(database.fetch_json("SELECT json_agg(t) FROM (SELECT name FROM thing) t", []) for _ in range(8)))
        assert set(answers) == {b"null"}


async def test_a_result_type_that_changed_is_read_again(database: PoolDatabase, other: "asyncpg.Connection") -> None:
    await other.execute("""CREATE TABLE thing (body json); INSERT INTO thing VALUES ('{"a":1}')""")
    assert await database.fetch_json("SELECT body FROM thing", []) == b'{"a":1}'
    await other.execute("ALTER TABLE thing ALTER body TYPE jsonb")
    assert await database.fetch_json("SELECT body FROM thing", []) == b'{"a": 1}'


async def test_long_statements_are_not_kept(database: PoolDatabase) -> None:
    """Whoever never asks the same again would fill the memory of PostgreSQL and ours."""
    short, long = "SELECT to_json(1)", f"SELECT to_json('{'x' * 40_000}'::text)"
    assert (await database.fetch_json(short, []), len(await database.fetch_json(long, []))) == (b"1", 40_002)
    kept = json.loads(await database.fetch_json("SELECT json_agg(statement) FROM pg_prepared_statements", []))
    assert short in kept
    assert long not in kept


async def test_a_table_that_is_gone_keeps_its_sqlstate(database: PoolDatabase) -> None:
    with pytest.raises(DatabaseError) as caught:
        await database.fetch_json("SELECT to_json(1) FROM nowhere", [])
    assert caught.value.sqlstate == "42P01"


async def test_reads_survive_the_loss_of_every_connection(database: PoolDatabase, other: "asyncpg.Connection") -> None:
    await asyncio.gather(*(database.ping() for _ in range(4)))
    await other.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nchat-rtc graphql'")
    assert await database.fetch_json("SELECT to_json(1)", []) == b"1"


async def test_a_transaction_announces_its_tables_after_the_commit_and_nothing_after_a_rollback(
    database: PoolDatabase, published: Published, other: "asyncpg.Connection"
) -> None:
    await other.execute("CREATE TABLE thing (name text)")
    table = TableName("public", "thing")
    with pytest.raises(DatabaseError):
        async with database.transaction() as connection:
            await connection.fetch_json("INSERT INTO thing VALUES ('a') RETURNING '1'::json", [])
            connection.wrote(table)
            await connection.fetch_json("SELECT to_json(1/0)", [])
    assert (await other.fetchval("SELECT count(*) FROM thing"), published.hints) == (0, [])
    async with database.transaction() as connection:
        await connection.fetch_json("INSERT INTO thing VALUES ('a') RETURNING '1'::json", [])
        connection.wrote(table)
        assert published.hints == []
    assert (await other.fetchval("SELECT count(*) FROM thing"), published.hints) == (1, [Hint("table:thing")])


async def test_the_session_is_visible_to_triggers_inside_its_transaction_only(database: PoolDatabase) -> None:
    read = "SELECT to_json(nullif(current_setting('hasura.user', true), ''))"
    async with database.transaction() as connection:
        await connection.set_session(Session("user", {"x-hasura-user-id": "1"}))
        assert await connection.fetch_json(read, []) == b'"{\\"x-hasura-user-id\\":\\"1\\"}"'
    assert await asyncio.gather(*(database.fetch_json(read, []) for _ in range(8))) == [b"null"] * 8


async def test_domain_transactions_publish_after_the_commit_and_say_where_they_are(
    empty_database_url: str, published: Published, other: "asyncpg.Connection"
) -> None:
    await other.execute("CREATE TABLE thing (name text)")
    moments: list[str] = []
    async with open_engine(empty_database_url) as engine:
        transactions = EngineTransactions(engine, published, moments.append)
        with pytest.raises(ZeroDivisionError):
            async with transactions("first") as tx:
                await tx.connection.exec_driver_sql("INSERT INTO thing VALUES ('a')")
                tx.hint("call:1")
                raise ZeroDivisionError
        assert (await other.fetchval("SELECT count(*) FROM thing"), published.hints, moments) == (0, [], [])
        async with transactions("second") as tx:
            await tx.connection.exec_driver_sql("INSERT INTO thing VALUES ('a')")
            tx.hint("call:1", 3)
    assert (await other.fetchval("SELECT count(*) FROM thing"), published.hints) == (1, [Hint("call:1", 3)])
    assert moments == ["second:before_commit", "second:after_commit"]


async def test_both_pools_work_without_prepared_statements(empty_database_url: str, published: Published) -> None:
    async with open_pool(empty_database_url, pgbouncer=True) as pool, open_engine(empty_database_url, pgbouncer=True) as engine:
        assert await PoolDatabase(pool, published, pgbouncer=True).fetch_json("SELECT to_json($1::text)", ["a"]) == b'"a"'
        async with EngineTransactions(engine, published)("read") as tx:
            assert (await tx.connection.exec_driver_sql("SELECT 1")).scalar() == 1
