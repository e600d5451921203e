"""What the tests of destinations start from."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.world import World
from tests.streams.destinations.sent_stream import HOST
from tests.support.domain_setup import Setup


@pytest.fixture
async def on(on: Setup) -> Setup:
    """One name leads to two addresses of the world's."""
    on.hosts.known[HOST] = ["93.184.216.34", "2606:2800:220:1::7"]
    return on


class Died(Exception):
    """The process is gone in this moment."""


@pytest.fixture
async def mortal(on: Setup) -> AsyncIterator[tuple[World, set[str]]]:
    """A world that dies at the moments in the set, once at each."""
    deadly = set[str]()

    def observe(moment: str) -> None:
        if moment in deadly:
            deadly.remove(moment)
            raise Died

    async with open_engine(on.url) as engine:
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher, observe)), deadly
