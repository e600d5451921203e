"""A world with a push service on a port of its own."""

from collections.abc import AsyncIterator

import pytest

from domain.world import World
from tests.pushes.receiver import PushReceiver, delivering
from tests.support.domain_setup import Setup


@pytest.fixture
async def receiver() -> AsyncIterator[PushReceiver]:
    async with PushReceiver().listening() as listening:
        yield listening


@pytest.fixture
async def world(on: Setup, receiver: PushReceiver) -> AsyncIterator[World]:
    """The process whose work the test starts by hand."""
    async with delivering(on, receiver.url) as ready:
        yield ready
