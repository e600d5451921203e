"""Engines over authors, articles and their functions."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.engine.library import Library, library
from tests.functions.posts import SQL, metadata
from tests.support.databases import Databases


@pytest.fixture(scope="session")
def posts_metadata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("posts") / "metadata.json"
    path.write_text(json.dumps(metadata()))
    return path


@pytest.fixture(scope="module")
async def posts(databases: Databases, posts_metadata: Path) -> AsyncIterator[Library]:
    """The posts of one test module, for tests that change nothing."""
    with databases.temporary() as url:
        await _fill(url)
        async with library(url, posts_metadata) as opened:
            assert opened.resolved.problems == ()
            yield opened


@pytest.fixture
async def own_posts(databases: Databases, posts_metadata: Path) -> AsyncIterator[Library]:
    """A database of the test's own, which it may write to."""
    with databases.temporary() as url:
        await _fill(url)
        async with library(url, posts_metadata) as opened:
            yield opened


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(SQL)
    await connection.close()
