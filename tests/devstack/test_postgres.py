"""The embedded PostgreSQL: starts on old and new data, refuses a used directory, and dies with its owner."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest

from devstack import postgres
from devstack.postgres import EmbeddedPostgres, PostgresError
from tests.support.databases import Databases
from tests.support.waiting import until

_OWNER = """
import sys, pathlib, signal
from devstack import postgres
from devstack.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
signal.pause()
"""


async def one_value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_databases_are_fresh_and_of_version_18(empty_database_url: str) -> None:
    assert str(await one_value(empty_database_url, "show server_version")).startswith("18.")
    assert await one_value(empty_database_url, "select count(*) from pg_tables where schemaname = 'public'") == 0


@pytest.mark.anyio
async def test_a_second_start_keeps_the_data_and_the_password(tmp_path: Path) -> None:
    first = EmbeddedPostgres(tmp_path)
    url = first.start()
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept as select 42 as answer")
    await connection.close()
    first.stop()
    second = EmbeddedPostgres(tmp_path, port=first.port)
    assert second.start() == url
    assert await one_value(url, "select answer from kept") == 42
    second.stop()


@pytest.mark.anyio
async def test_a_wrong_password_is_refused(databases: Databases) -> None:
    port = databases.server.port
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://nchat:wrong@127.0.0.1:{port}/postgres")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.anyio
async def test_as_root_without_user_namespaces_it_becomes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_user_namespaces_work", lambda: False)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        server = EmbeddedPostgres(root, durable=False)
        url = server.start()
        assert psutil.Process(server.pid).username() == "nobody"
        assert await one_value(url, "select 1") == 1
        server.stop()


def test_a_directory_in_use_is_refused(databases: Databases) -> None:
    twin = EmbeddedPostgres(databases.server.root, durable=False)
    with pytest.raises(PostgresError, match=f"in use by process {databases.server.pid}"):
        twin.start(patience=0)
    assert psutil.pid_exists(databases.server.pid)


def test_a_stale_lock_file_of_another_program_is_not_believed(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path, durable=False)
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{psutil.Process().pid}\n")
    server.start()
    server.stop()


def with_a_row(root: Path) -> EmbeddedPostgres:
    """A running server with a table `kept`, on disk although such a server does not wait for its disk."""
    server = EmbeddedPostgres(root, durable=False)
    server.start()
    server.tool("psql", "-d", "postgres", "-qc", "create table kept as select 42 as answer", "-c", "checkpoint")
    return server


def kept_row(server: EmbeddedPostgres) -> str:
    return server.tool("psql", "-d", "postgres", "-qAtc", "select answer from kept").stdout.strip()


def test_a_directory_that_was_moved_after_a_kill_serves_its_rows(tmp_path: Path) -> None:
    before = with_a_row(tmp_path / "old place")
    family = psutil.Process(before.pid).children(recursive=True)
    before.child.process.kill()
    before.child.process.wait()
    until(lambda: not any(process.is_running() for process in family))
    assert (before.data / "postmaster.pid").exists()
    after = EmbeddedPostgres(before.root.rename(tmp_path / "new place"), durable=False)
    after.start(patience=0)
    assert kept_row(after) == "42"
    after.stop()


def test_a_copy_starts_beside_its_running_original_though_the_lock_file_came_along(tmp_path: Path) -> None:
    original = with_a_row(tmp_path / "original")
    original.stop()
    copy = EmbeddedPostgres(Path(shutil.copytree(original.root, tmp_path / "copy")), durable=False)
    original.start()
    shutil.copy(original.data / "postmaster.pid", copy.data)
    copy.start(patience=0)
    assert (kept_row(copy), kept_row(original)) == ("42", "42")
    copy.stop()
    original.stop()


def test_a_directory_that_was_moved_under_its_running_server_is_refused(tmp_path: Path) -> None:
    server = with_a_row(tmp_path / "old place")
    twin = EmbeddedPostgres(server.root.rename(tmp_path / "new place"), durable=False)
    with pytest.raises(PostgresError, match=f"in use by process {server.pid}"):
        twin.start(patience=0)
    server.stop()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_owner(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        owner.send_signal(how)
    until(lambda: not psutil.pid_exists(server), seconds=5)
