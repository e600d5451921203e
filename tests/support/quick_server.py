"""A server in the process of the tests, which is there and gone without waiting for the next time that it looks."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.support.waiting import eventually, within

# How often uvicorn does what is due by the clock.
TICK_SECONDS = 0.1
# Turns of the loop from an accepted socket to a connection that is known: whoever comes at the last moment is sent away as well.
TURNS_TO_BE_LET_IN = 5


class QuickServer(uvicorn.Server):
    """Leaves the process's signals to the tests. uvicorn sleeps a tenth of a second here and there; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """`serve` returns as soon as all is closed."""
        self.should_exit = True
        self._over.set()

    async def main_loop(self) -> None:
        for tick in itertools.count():
            if await self.on_tick(tick):
                return
            with contextlib.suppress(TimeoutError):
                await within(self._over.wait(), TICK_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's, step by step."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for _ in range(TURNS_TO_BE_LET_IN):
            await asyncio.sleep(0)
        for connection in list(self.server_state.connections):
            connection.shutdown()
        patience = self.config.timeout_graceful_shutdown
        assert patience is not None, "would wait for ever"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await eventually(self._is_idle, seconds=patience + 1, every=0.002)
        for task in self.server_state.tasks:
            task.cancel(msg="Task cancelled, timeout graceful shutdown exceeded")
        await self.lifespan.shutdown()

    async def _is_idle(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks
