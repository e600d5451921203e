"""The domain's transactions: all or nothing, PostgreSQL's refusals by their state, and alive again after an outage."""

from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
import sqlalchemy as sa
from asyncpg.connection import LoggedQuery

from app.database.transactions import EngineTransactions, open_engine
from devstack.ports import free_port
from domain.errors import CallFull
from domain.world import Transaction
from resolvers.sql.database import DatabaseError
from tests.hostile.freezing_proxy import freezing_proxy
from tests.support.domain_setup import RecordingPublisher
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

CHANNELS = sa.text("SELECT count(*) FROM nchat_channels")
WRITE = sa.text("INSERT INTO nchat_channels (id, name) VALUES (gen_random_uuid(), :name)")
PID = sa.text("SELECT pg_backend_pid()")


@pytest.fixture
async def transaction(database_url: str) -> AsyncIterator[EngineTransactions]:
    async with open_engine(database_url, pool_size=2) as engine:
        yield EngineTransactions(engine, RecordingPublisher())


async def count(transaction: EngineTransactions) -> int:
    async with transaction("count") as tx:
        found: int = (await tx.connection.execute(CHANNELS)).scalar_one()
        return found


async def write_and_meet(transaction: EngineTransactions, statement: str) -> DatabaseError:
    """A write, then a statement that PostgreSQL refuses."""
    with pytest.raises(DatabaseError) as refused:
        async with transaction("write") as tx:
            await tx.connection.execute(WRITE, {"name": "general"})
            await tx.connection.execute(sa.text(statement))
    return refused.value


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("SELECT 1 / 0", "22012"),
        ("SELECT 'x'::uuid", "22P02"),
        ("INSERT INTO nchat_channels (id, name) SELECT id, name FROM nchat_channels", "23505"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "08003"),
    ],
)
async def test_what_postgresql_refuses_keeps_its_state_and_leaves_nothing(
    transaction: EngineTransactions, statement: str, sqlstate: str
) -> None:
    assert (await write_and_meet(transaction, statement)).sqlstate == sqlstate
    assert await count(transaction) == 0


async def test_a_text_that_cannot_be_sent(transaction: EngineTransactions) -> None:
    for text in ("a\0b", "a\ud800b"):
        with pytest.raises(DatabaseError) as refused:
            async with transaction("write") as tx:
                await tx.connection.execute(WRITE, {"name": text})
        assert refused.value.sqlstate == "22021"
        assert text not in str(refused.value)


async def test_the_domains_own_refusals_pass_through(transaction: EngineTransactions) -> None:
    with pytest.raises(CallFull):
        async with transaction("write") as tx:
            await tx.connection.execute(WRITE, {"name": "general"})
            raise CallFull
    assert await count(transaction) == 0


async def test_connections_that_were_cut_are_replaced(transaction: EngineTransactions, database_url: str) -> None:
    async with transaction("one") as one, transaction("two") as two:
        pids = [(await tx.connection.execute(PID)).scalar_one() for tx in (one, two)]
    await cut(database_url, pids)
    assert await count(transaction) == 0


async def test_a_goodbye_without_an_end_is_an_end(database_url: str) -> None:
    """PostgreSQL's last word has arrived and the end of the connection has not: as between two machines, or on one that is busy."""
    async with freezing_proxy(database_url) as (proxy, url), open_engine(url, pool_size=1) as engine:
        transaction = EngineTransactions(engine, RecordingPublisher())
        async with transaction("one") as tx:
            pid = (await tx.connection.execute(PID)).scalar_one()
        proxy.hides_ends = True
        await cut(database_url, [pid])
        await proxy.end_hidden.wait()
        assert await count(transaction) == 0


async def test_whether_a_connection_lives_is_one_question(database_url: str) -> None:
    """Between two machines each question is a millisecond of every action; what is sent is what asyncpg is told to send."""
    sent: list[str] = []

    def note(said: LoggedQuery) -> None:
        sent.append(said.query)

    async with open_engine(database_url, pool_size=1) as engine:
        transaction = EngineTransactions(engine, RecordingPublisher())
        assert await count(transaction) == 0
        async with transaction("follow") as tx:
            driver = (await tx.connection.get_raw_connection()).driver_connection
            assert isinstance(driver, asyncpg.Connection)
            driver.add_query_logger(note)
        sent.clear()
        assert await count(transaction) == 0
    assert sent[:2] == ["SELECT", "BEGIN;"]
    assert [statement for statement in sent[2:] if statement != str(CHANNELS)] == ["COMMIT;"]


async def test_a_connection_that_is_cut_at_work(transaction: EngineTransactions, database_url: str) -> None:
    async def work(tx: Transaction) -> None:
        await cut(database_url, [(await tx.connection.execute(PID)).scalar_one()])
        await tx.connection.execute(CHANNELS)

    with pytest.raises(DatabaseError) as lost:
        async with transaction("work") as tx:
            await work(tx)
    assert lost.value.sqlstate[:2] in ("08", "57")
    assert await count(transaction) == 0


async def test_nobody_answers() -> None:
    async with open_engine(f"postgresql://nobody@127.0.0.1:{free_port()}/none") as engine:
        with pytest.raises(DatabaseError) as lost:
            await count(EngineTransactions(engine, RecordingPublisher()))
        assert lost.value.sqlstate == "08006"


async def cut(url: str, pids: list[int]) -> None:
    """Ends these server processes and waits until they are gone."""
    database = await asyncpg.connect(url)
    for pid in pids:
        assert await database.fetchval("SELECT pg_terminate_backend($1, 5000)", pid)
    await database.close()


async def test_a_transaction_of_a_frozen_process_gives_its_locks_back(transaction: EngineTransactions) -> None:
    """PostgreSQL ends what does nothing: without the limit a call would stay locked for as long as the dead host's connection."""
    async with transaction("limits") as tx:
        shown = await tx.connection.execute(sa.text("SHOW idle_in_transaction_session_timeout"))
        assert shown.scalar_one() == "15s"
    with pytest.raises(DatabaseError):
        async with transaction("frozen") as tx:
            pid = (await tx.connection.execute(PID)).scalar_one()
            await tx.connection.execute(WRITE, {"name": "lost"})
            await tx.connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 1"))
            await eventually(partial(gone, transaction, pid))
            await tx.connection.execute(CHANNELS)
    assert await count(transaction) == 0


async def gone(transaction: EngineTransactions, pid: int) -> bool:
    async with transaction("look") as tx:
        found = await tx.connection.execute(sa.text("SELECT 1 FROM pg_stat_activity WHERE pid = :pid"), {"pid": pid})
        return found.first() is None
