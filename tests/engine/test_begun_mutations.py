"""A mutation whose sender hung up: it goes on once it has begun, and is dropped while it waits for its turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from resolvers.run.begun_mutations import Beginning, BegunMutations

pytestmark = pytest.mark.anyio


class Scene:
    """One mutation that waits for its turn, and then for the end."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.turn, self.end, self.written, self.failure = asyncio.Event(), asyncio.Event(), asyncio.Event(), failure
        beginning = Beginning()
        self.sender = asyncio.create_task(BegunMutations().run(self._mutation(beginning), lambda: beginning.has_begun))

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        await self.turn.wait()
        yield

    async def _mutation(self, beginning: Beginning) -> None:
        async with beginning.within(self._open()):
            await self.end.wait()
            if self.failure:
                raise self.failure
            self.written.set()

    async def hang_up(self) -> None:
        await settled()
        self.sender.cancel()
        await asyncio.gather(self.sender, return_exceptions=True)
        self.turn.set()
        self.end.set()
        await settled()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_waits_for_its_turn_is_dropped() -> None:
    scene = Scene()
    await scene.hang_up()
    assert not scene.written.is_set()


async def test_what_has_begun_goes_on() -> None:
    scene = Scene()
    scene.turn.set()
    await scene.hang_up()
    assert scene.written.is_set()


async def test_a_fault_of_what_goes_on_is_logged() -> None:
    scene = Scene(ZeroDivisionError())
    scene.turn.set()
    with capture_logs() as lines:
        await scene.hang_up()
    assert [line["error"] for line in lines] == ["ZeroDivisionError"]
