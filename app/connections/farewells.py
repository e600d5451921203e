"""The end of a process: whoever listens is sent away one after the other, so that not all come back in one moment."""

import asyncio
from typing import Final

# All are gone after so many seconds; few go sooner, one of them at once.
FAREWELL_SECONDS: Final = 3.0
GAP_SECONDS: Final = 0.005


class Farewells:
    """Until their turn comes all are served as before."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._begun = asyncio.Event()
        self._began = self._gap = 0.0
        self._turns = 0

    def begin(self, listeners: int) -> None:
        """The process ends, and so many at most take a turn. Saying it again changes nothing."""
        if not self._begun.is_set():
            self._began = self._loop.time()
            self._gap = min(GAP_SECONDS, FAREWELL_SECONDS / max(1, listeners))
            self._begun.set()

    def delay(self) -> float:
        """Seconds until the next one's turn, which is taken by asking."""
        turn, self._turns = self._turns, self._turns + 1
        return max(0.0, self._began + turn * self._gap - self._loop.time())

    async def turn(self) -> None:
        """Returns when the process ends and it is time to go."""
        await self._begun.wait()
        await asyncio.sleep(self.delay())
