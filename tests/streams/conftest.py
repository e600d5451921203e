"""What the tests of streams start from; a folder may have more in its own."""

from collections.abc import AsyncIterator

import pytest

from tests.subscriptions.listening import Listeners, listeners
from tests.support.actions import Api, api
from tests.support.domain_setup import Setup, setup


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo."""
    async with setup(database_url) as ready:
        yield ready


@pytest.fixture
async def client(on: Setup) -> AsyncIterator[Api]:
    async with api(on) as ready:
        yield ready


@pytest.fixture
async def listen(client: Api) -> AsyncIterator[Listeners]:
    """Opens subscriptions; all are closed at the end."""
    async with listeners(client) as ready:
        yield ready
