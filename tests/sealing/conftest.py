"""What the tests of secrets at rest start from."""

from collections.abc import AsyncIterator

import pytest

from tests.support.domain_setup import Setup, setup


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo."""
    async with setup(database_url) as ready:
        yield ready
