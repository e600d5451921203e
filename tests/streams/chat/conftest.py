"""What the tests of a stream's chat start from."""

from collections.abc import AsyncIterator

import pytest

from tests.support.actions import Api, api
from tests.support.domain_setup import Setup, setup


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo and no streams."""
    async with setup(database_url) as ready:
        yield ready


@pytest.fixture
async def client(on: Setup) -> AsyncIterator[Api]:
    async with api(on) as ready:
        yield ready
