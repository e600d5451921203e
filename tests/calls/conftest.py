"""What the tests of call actions start from."""

from collections.abc import AsyncIterator

import pytest

from tests.support.worlds import Stage, stage


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Stage]:
    """The world with the people of the demo and no calls."""
    async with stage(database_url) as ready:
        yield ready
