"""What the tests of destinations start from."""

from collections.abc import AsyncIterator

import pytest

from tests.streams.destinations.sent_stream import HOST
from tests.support.domain_setup import Setup, setup


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo; one name leads to two addresses of the world's."""
    async with setup(database_url) as ready:
        ready.hosts.known[HOST] = ["93.184.216.34", "2606:2800:220:1::7"]
        yield ready
