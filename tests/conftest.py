"""Fixtures for all tests: an embedded PostgreSQL for the session, and for each test a database of its own and a world on it."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from functools import cache

import httpcore2
import pytest
from structlog.testing import capture_logs

import app.asgi
from devstack.postgres import EmbeddedPostgres
from tests.subscriptions.listening import Listeners, listeners
from tests.support.actions import Api, api
from tests.support.databases import Databases
from tests.support.domain_setup import Setup, setup
from tests.support.forked_commands import ForkedCommands, forked_commands
from tests.support.kept_schemas import keep_schemas
from tests.support.kept_statements import keep_statements
from tests.support.log_lines import LogLines
from tests.support.memory_folder import memory_folder

# The tests' servers have no certificates: no connection asks for one first. An address that says otherwise is obeyed.
os.environ.setdefault("PGSSLMODE", "disable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is given the most time comes first, then the trials, so that at the end no worker waits for another's last one."""
    items.sort(key=lambda item: (-_given_seconds(item), "trials" not in item.path.parts))


def _given_seconds(item: pytest.Item) -> float:
    """By a mark of its own; none by that of all tests."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark else 0.0


def pytest_collection_finish() -> None:
    """What is imported by now lives to the end: looking through it again and again took a sixth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def kept_schemas() -> None:
    """Services and clients of this process share what they would make alike; nobody looks for garbage in all that tests import."""
    keep_schemas()
    keep_statements()
    setattr(httpcore2, "default_ssl_context", cache(httpcore2.default_ssl_context))  # noqa: B010
    setattr(app.asgi, "settle", lambda: None)  # noqa: B010 - imported there, not defined


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def log_lines() -> Iterator[LogLines]:
    """What our own code logs while the test runs, one mapping a line."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """The session's server (one per xdist worker), without crash safety."""
    with memory_folder(tmp_path_factory.mktemp("postgres")) as folder:
        server = EmbeddedPostgres(folder, durable=False)
        server.start()
        databases = Databases(server)
        yield databases
        databases.close()
        server.stop()


@pytest.fixture(scope="session")
def postgres_url(databases: Databases) -> str:
    """The superuser's address of the session's server."""
    return databases.server.url


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A fresh database without any table."""
    with databases.temporary() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_template(databases: Databases) -> str:
    """The name of a database at the newest migration, to be cloned."""
    import migrations

    name = databases.create()
    migrations.upgrade(databases.url(name))
    return name


@pytest.fixture
def database_url(databases: Databases, migrated_template: str) -> Iterator[str]:
    """A fresh database with all tables and no rows but those that the migrations write."""
    with databases.temporary(migrated_template) as url:
        yield url


@pytest.fixture(scope="session")
def demo_template(databases: Databases, migrated_template: str) -> str:
    """The name of a migrated database with the demo data, to be cloned."""
    from devstack.demo_data import seed

    name = databases.create(migrated_template)
    asyncio.run(seed(databases.url(name)))
    return name


@pytest.fixture
def demo_database_url(databases: Databases, demo_template: str) -> Iterator[str]:
    """A fresh database with the demo users, the channel `general` and some calls."""
    with databases.temporary(demo_template) as url:
        yield url


@pytest.fixture(scope="session")
def commands(databases: Databases, migrated_template: str) -> Iterator[ForkedCommands]:
    """Service processes that start at once."""
    with forked_commands(databases.url(migrated_template)) as ready:
        yield ready


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo, and neither calls nor streams."""
    async with setup(database_url) as ready:
        yield ready


@pytest.fixture
async def client(on: Setup) -> AsyncIterator[Api]:
    """The engine over that world."""
    async with api(on) as ready:
        yield ready


@pytest.fixture
async def listen(client: Api) -> AsyncIterator[Listeners]:
    """Opens subscriptions; all are closed at the end."""
    async with listeners(client) as ready:
        yield ready
