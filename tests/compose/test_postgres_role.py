"""The API's database role, made by the container's own file on a real PostgreSQL: owner of one database, and nothing else."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

import migrations
from devstack.demo_data import seed
from devstack.postgres import binaries
from tests.support.domain_setup import ALICE
from tests.support.whole_service import simulated, whole_service

pytestmark = pytest.mark.anyio
FILE = Path(__file__).parents[2] / "compose" / "postgres-role.sql"
PASSWORD = "0123456789'abcdef"  # a quote must not end it


@pytest.fixture
async def owner_url(postgres_url: str) -> AsyncIterator[str]:
    """The role's address. The tests' own superuser is called nchat already, so here it is `api`."""
    text = FILE.read_text().replace("ROLE nchat", "ROLE api").replace("DATABASE nchat", "DATABASE api").replace("OWNER nchat", "OWNER api")
    environment = {**os.environ, "NCHAT_POSTGRES_PASSWORD": PASSWORD}
    command = [str(binaries() / "psql"), "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--dbname", postgres_url]
    await asyncio.to_thread(subprocess.run, command, input=text, text=True, env=environment, check=True, capture_output=True)
    yield f"postgresql://api:0123456789%27abcdef@{urlsplit(postgres_url).netloc.rpartition('@')[2]}/api"
    superuser = await asyncpg.connect(postgres_url)
    await superuser.execute("DROP DATABASE api WITH (FORCE)")
    await superuser.execute("DROP ROLE api")
    await superuser.close()


async def test_the_service_runs_as_an_owner_that_is_no_superuser(owner_url: str) -> None:
    await asyncio.to_thread(migrations.upgrade, owner_url)
    await seed(owner_url)
    async with simulated(None) as (_, url), whole_service(owner_url, url) as service:
        assert (await service.person(ALICE).data("{ nchat_calls { id } }"))["nchat_calls"]
        started = await service.person(ALICE).act("initiateCall", "callId", type="audio", targetUserIds=[str(ALICE)[:-1] + "2"])
        assert started["callId"]
        assert (await service.http.get("/readyz")).json()["checks"]["database"]["ok"]


async def test_it_may_do_nothing_beside_its_database(owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    rights = await owner.fetchrow("SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = current_user")
    assert rights is not None and not any(rights.values())
    beyond = ("CREATE ROLE another", "CREATE DATABASE another", "COPY (SELECT 1) TO PROGRAM 'id'", "SELECT pg_read_file('/etc/passwd')")
    for statement in beyond:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)
    await owner.close()
