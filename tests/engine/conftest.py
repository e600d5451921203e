"""An engine over the library of the conformance cases."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.engine.library import Library, library, suite
from tests.support.databases import Databases


@pytest.fixture(scope="session")
def library_template(databases: Databases) -> str:
    """A database with the library's tables and rows, to be cloned."""
    import asyncio

    name = databases.create()

    async def fill() -> None:
        connection = await asyncpg.connect(databases.url(name))
        await connection.execute(f"ALTER DATABASE {name} SET timezone TO 'UTC'")
        await connection.execute(suite()["setup_sql"])
        await connection.close()

    asyncio.run(fill())
    return name


@pytest.fixture(scope="module")
def library_url(databases: Databases, library_template: str) -> Iterator[str]:
    with databases.temporary(library_template) as url:
        yield url


@pytest.fixture(scope="session")
def library_metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metadata") / "metadata.json"
    path.write_text(json.dumps(suite()["metadata"]))
    return path


@pytest.fixture(scope="module")
async def books(library_url: str, library_metadata: Path) -> AsyncIterator[Library]:
    """The library of one test module, for tests that change nothing."""
    async with library(library_url, library_metadata) as opened:
        yield opened


@pytest.fixture
async def fresh_books(books: Library) -> Library:
    """The library with its tables dropped and made again, while the engine runs."""
    await books.pool.execute(suite()["setup_sql"])
    return books
