"""A PostgreSQL without space: writes are refused with a code of their own, reads go on, and /readyz says which it is."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from devstack.ports import free_port
from tests.support.databases import Databases
from tests.support.domain_setup import ALICE
from tests.support.refusals import code_in, error_in
from tests.support.waiting import eventually
from tests.support.whole_service import WholeService, whole_service

pytestmark = pytest.mark.anyio

INSERT = "mutation ($metadata: jsonb) { insert_nchat_calls_one(object: {type: audio, metadata: $metadata}) { id } }"
CALLS = "SELECT count(*) FROM nchat_calls"
REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = '53100'; END $$
"""
BEFORE = "CREATE TRIGGER refuse BEFORE INSERT ON nchat_calls FOR EACH STATEMENT EXECUTE FUNCTION refuse()"


async def disk(service: WholeService) -> tuple[int, str, str]:
    answer = await service.http.get("/readyz")
    said = answer.json()
    return answer.status_code, said["checks"]["disk"].get("error", "ok"), said["checks"]["database"].get("error", "ok")


async def value(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_a_write_that_finds_no_space(demo_database_url: str) -> None:
    for statement in (REFUSE, BEFORE):
        await value(demo_database_url, statement)
    async with whole_service(demo_database_url, f"http://127.0.0.1:{free_port()}", livekit_enabled=False) as service:
        before = await value(demo_database_url, CALLS)
        error = error_in((await service.person(ALICE).post(INSERT, {"metadata": {}})).json(), INSERT)
        assert (error["message"], error["extensions"]["code"]) == ("the database has no space left", "storage-full")
        assert await value(demo_database_url, CALLS) == before
        assert await disk(service) == (200, "ok", "ok")


async def test_the_check_really_writes(demo_database_url: str) -> None:
    """PostgreSQL's own limit on temporary files stands for a disk: the check is what runs into it, and clients never do."""
    await value(demo_database_url, f'ALTER DATABASE "{demo_database_url.rpartition("/")[2]}" SET temp_file_limit = 0')
    async with whole_service(demo_database_url, f"http://127.0.0.1:{free_port()}", livekit_enabled=False) as service:
        assert await disk(service) == (200, "postgres-error", "ok")
        assert await service.person(ALICE).data("{ nchat_users(limit: 1) { __typename } }")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 64 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small file system can't be mounted here: {mounted.stderr.strip()}")
    (folder / "data").mkdir()
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
async def on_small_disk(small_disk: Path, databases: Databases, demo_template: str) -> AsyncIterator[str]:
    """The demo database, all of it on the small disk."""
    name = f"small_{uuid4().hex}"
    await value(databases.server.url, f"CREATE TABLESPACE {name} LOCATION '{small_disk / 'data'}'")
    await value(databases.server.url, f"CREATE DATABASE {name} TEMPLATE {demo_template} TABLESPACE {name}")
    yield databases.server.database_url(name)
    await value(databases.server.url, f"DROP DATABASE {name} WITH (FORCE)")
    await value(databases.server.url, f"DROP TABLESPACE {name}")


async def test_a_disk_that_is_really_full(on_small_disk: str, small_disk: Path) -> None:
    # From before: PostgreSQL may want to write a file for who comes new.
    async with (
        asyncpg.create_pool(on_small_disk, min_size=1, max_size=1) as looking,
        whole_service(on_small_disk, f"http://127.0.0.1:{free_port()}", livekit_enabled=False) as service,
    ):
        alice = service.person(ALICE)
        assert await disk(service) == (200, "ok", "ok")
        filling = small_disk / "filling"
        with filling.open("wb") as file:
            space = os.statvfs(small_disk)
            os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize)
        await eventually(lambda: is_full(service))
        code = await refused(service)
        before = await looking.fetchval(CALLS)
        assert code == await refused(service) == "storage-full"
        assert await looking.fetchval(CALLS) == before
        assert await alice.data("{ nchat_users(limit: 1) { __typename } }")
        filling.unlink()
        assert await alice.data(INSERT, {"metadata": {}})


async def is_full(service: WholeService) -> bool:
    return await disk(service) == (200, "storage-full", "ok")


async def refused(service: WholeService) -> str:
    """The code of the first insert for which no page has room."""
    for _ in range(500):
        answer = (await service.person(ALICE).post(INSERT, {"metadata": {"noise": os.urandom(3000).hex()}})).json()
        if "data" not in answer:
            return code_in(answer, INSERT)
    raise AssertionError("500 calls found space on a full disk")
