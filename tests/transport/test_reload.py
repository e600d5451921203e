"""SIGHUP: metadata and tables are read again while the service runs, and what is followed is followed under the new rules."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
import psutil
import pytest

from app import reloading
from tests.engine.authors import SQL, metadata
from tests.support.databases import Databases
from tests.support.refusals import code_in
from tests.support.waiting import eventually, until
from tests.transport.fakes import Client, websocket
from tests.transport.test_server_process import Serve
from tests.transport.test_service import Asker, asking, settings

SECOND = {"x-hasura-role": "user", "x-hasura-user-id": "2"}
ROWS = "{ article_local(order_by: {id: asc}) { id } }"
# A function that ends when the test lets it.
SLOW = """
CREATE FUNCTION slow_articles() RETURNS SETOF article_local LANGUAGE sql STABLE
  AS 'SELECT a.* FROM pg_advisory_xact_lock_shared(7) s, article_local a';
"""
SLIP = {"version": 3, "sources": [], "api_limits": {"depth": 1}}
# Seconds that what is followed may live on under rules that hold no more.
IN_TIME = 2.0


def document(
    *, columns: Any = ("id", "word_count"), filter: Any = None, functions: tuple[str, ...] = (), role: str = "user"
) -> dict[str, Any]:
    """The authors' metadata with another rule for articles."""
    changed = deepcopy(metadata({}))
    permission = {"columns": columns, "filter": filter or {"author_id": {"_eq": "X-Hasura-User-Id"}}, "allow_aggregations": True}
    article = changed["sources"][0]["tables"][1]
    article["select_permissions"] = [{"role": role, "permission": permission}]
    del article["update_permissions"]
    changed["sources"][0]["functions"] = [{"function": name} for name in functions]
    return changed


@pytest.fixture(autouse=True)
def nothing_is_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for garbage in all that the tests have imported, for seconds: processes of their own do."""
    monkeypatch.setattr(reloading, "gc", SimpleNamespace(unfreeze=lambda: None))
    monkeypatch.setattr(reloading, "settle", lambda: None)


class Reloaded:
    """A service whose metadata a test writes anew."""

    def __init__(self, ask: Asker, file: Path, connection: Any) -> None:
        self.ask, self.file, self.connection = ask, file, connection

    def write(self, written: Any) -> None:
        self.file.write_text(written if isinstance(written, str) else json.dumps(written, indent=1))
        os.kill(os.getpid(), signal.SIGHUP)

    async def until_it_is(self, query: str, expected: Any) -> None:
        async def is_so() -> bool:
            return bool((await self.ask(query, SECOND)) == expected)

        await eventually(is_so, seconds=30)


@asynccontextmanager
async def reloaded(databases: Databases, folder: Path, first: dict[str, Any]) -> AsyncIterator[Reloaded]:
    file = folder / "metadata.json"
    file.write_text(json.dumps(first))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL + SLOW)
        try:
            async with asking(
                settings(url, jwt_secret=None, admin_secret=None, unauthorized_role=None, statement_timeout=60), metadata=file
            ) as ask:
                yield Reloaded(ask, file, connection)
        finally:
            await connection.close()


def rows(*ids: int) -> dict[str, Any]:
    return {"data": {"article_local": [{"id": id} for id in ids]}}


@pytest.mark.anyio
async def test_rules_and_tables_are_read_again(databases: Databases, tmp_path: Path) -> None:
    async with reloaded(databases, tmp_path, document()) as on:
        assert await on.ask(ROWS, SECOND) == rows(3)
        on.write(document(filter={"id": {"_gt": 1}}))
        await on.until_it_is(ROWS, rows(2, 3))
        words = "{ article_local { word_count } }"
        on.write(document(columns=["id"]))
        await on.until_it_is(ROWS, rows(3))
        assert code_in(await on.ask(words, SECOND), words) == "validation-failed"
        await on.connection.execute("ALTER TABLE article_local ADD COLUMN title text DEFAULT 'new'")
        titles = "{ article_local { title } }"
        assert code_in(await on.ask(titles, SECOND), titles) == "validation-failed"
        on.write(document(columns="*"))
        await on.until_it_is(titles, {"data": {"article_local": [{"title": "new"}]}})
        on.write(document(role="other"))
        refused = await eventually_refused(on)
        assert refused == "validation-failed"


async def eventually_refused(on: Reloaded) -> str:
    async def is_refused() -> bool:
        return "errors" in await on.ask(ROWS, SECOND)

    await eventually(is_refused, seconds=30)
    return code_in(await on.ask(ROWS, SECOND), ROWS)


@pytest.mark.anyio
async def test_what_has_begun_ends_as_it_began(databases: Databases, tmp_path: Path) -> None:
    async with reloaded(databases, tmp_path, document(functions=("slow_articles",))) as on:
        slow = "{ slow_articles { id } }"
        await on.connection.execute("SELECT pg_advisory_lock(7)")
        begun = asyncio.create_task(on.ask(slow, SECOND))
        await eventually(lambda: runs(on.connection, "slow_articles"))
        on.write(document(filter={"id": {"_gt": 1}}))
        await on.until_it_is(ROWS, rows(2, 3))
        assert not begun.done()
        await on.connection.execute("SELECT pg_advisory_unlock(7)")
        assert await begun == {"data": {"slow_articles": [{"id": 3}]}}
        assert code_in(await on.ask(slow, SECOND), slow) == "validation-failed"


async def runs(connection: Any, part: str) -> bool:
    sql = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid())"
    return bool(await connection.fetchval(sql, f"%{part}%"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("written", "where"),
    [
        ('{\n "version": 3,\n "sources": [}', "metadata.json:3"),
        (SLIP, "metadata.json:5"),
    ],
)
async def test_broken_metadata_keeps_the_old(
    databases: Databases, tmp_path: Path, written: Any, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with reloaded(databases, tmp_path, document()) as on:
        told: list[str] = []

        async def is_told() -> bool:
            told.append(capsys.readouterr().out)
            return "metadata_not_reloaded" in "".join(told)

        on.write(written)
        await eventually(is_told, seconds=30)
        assert where in "".join(told)
        assert await on.ask(ROWS, SECOND) == rows(3)


@asynccontextmanager
async def following(on: Reloaded, query: str) -> AsyncIterator[Client]:
    async with websocket(on.ask.address) as client:
        await client.send(type="connection_init", payload={"headers": SECOND})
        assert (await client.receive(30))["type"] == "connection_ack"
        await client.send(type="subscribe", id="1", payload={"query": query})
        yield client


@pytest.mark.anyio
async def test_live_queries_go_on_under_the_new_rules_and_end_with_the_right(databases: Databases, tmp_path: Path) -> None:
    async with reloaded(databases, tmp_path, document()) as on, following(on, f"subscription {ROWS}") as client:
        assert (await client.receive(30))["payload"] == rows(3)
        on.write(document(filter={"id": {"_gt": 1}}))
        await on.until_it_is(ROWS, rows(2, 3))
        began = time.monotonic()
        assert (await client.receive(30))["payload"] == rows(2, 3)
        assert time.monotonic() - began < IN_TIME
        # The same rows under another rule are no news.
        on.write(document(filter={"id": {"_gte": 2}}))
        await on.until_it_is("{ article_local(where: {id: {_eq: 1}}) { id } }", rows())
        await on.connection.execute("INSERT INTO article_local VALUES (4, 1)")
        assert (await client.receive(30))["payload"] == rows(2, 3, 4)
        on.write(document(role="other"))
        assert await eventually_refused(on) == "validation-failed"
        began = time.monotonic()
        ended = await client.receive(30)
        assert time.monotonic() - began < IN_TIME
        assert (ended["type"], ended["payload"][0]["extensions"]["code"]) == ("error", "validation-failed")


@pytest.mark.anyio
async def test_streams_go_on_where_they_are(databases: Databases, tmp_path: Path) -> None:
    stream = "subscription { article_local_stream(batch_size: 5, cursor: {initial_value: {id: 0}}) { id } }"
    async with reloaded(databases, tmp_path, document()) as on, following(on, stream) as client:
        assert (await client.receive(30))["payload"] == {"data": {"article_local_stream": [{"id": 3}]}}
        on.write(document(filter={"id": {"_gt": 0}}))
        await on.until_it_is(ROWS, rows(1, 2, 3))
        await on.connection.execute("INSERT INTO article_local VALUES (4, 1)")
        assert (await client.receive(30))["payload"] == {"data": {"article_local_stream": [{"id": 4}]}}
        on.write(document(role="other"))
        assert (await client.receive(30))["type"] == "error"


class Tables(Serve):
    """Processes over metadata with tables."""

    def reload(self, written: Any, times: int) -> None:
        (self.output.parent / "metadata.json").write_text(json.dumps(written))
        self.process.send_signal(signal.SIGHUP)
        until(lambda: self.output.read_text().count("metadata_reloaded") == times, seconds=60)

    def memory(self) -> int:
        workers = psutil.Process(self.process.pid).children(recursive=True) or [psutil.Process(self.process.pid)]
        return sum(process.memory_info().rss for process in workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_all_workers_reload_and_none_of_them_grows(tmp_path: Path, databases: Databases, workers: int) -> None:
    with databases.temporary() as url:
        asyncio.run(execute(url, SQL))
        serve = Tables(tmp_path, url, workers=workers)
        try:
            until(
                lambda: (
                    serve.output.read_text().count('"event": "serving"') + serve.output.read_text().count('"event":"serving"') == workers
                ),
                seconds=60,
            )
            serve.wait_until_up()
            pids = {process.pid for process in serve.tree}
            for times in range(1, 6):
                serve.reload(document(columns=["id"] if times % 2 else "*"), times * workers)
            settled = serve.memory()
            for times in range(6, 26 if workers == 1 else 9):
                serve.reload(document(columns=["id"] if times % 2 else "*"), times * workers)
            assert serve.memory() - settled < 8_000_000 * workers
            assert {
                process.pid for process in [psutil.Process(serve.process.pid), *psutil.Process(serve.process.pid).children(True)]
            } == pids
        finally:
            serve.end()


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()
