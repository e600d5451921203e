"""A LiveKit that takes its time: every call of its API waits while the pausable is shut."""

import asyncio

from devstack.livekit_simulator import WallClock


class PausableClock(WallClock):
    """The simulator's clock; before an API call it sleeps its latency, which is none."""

    def __init__(self) -> None:
        super().__init__()
        self._open = asyncio.Event()
        self._open.set()
        self.someone_waits = asyncio.Event()

    def shut(self) -> None:
        self.someone_waits.clear()
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def sleep(self, seconds: float) -> None:
        if seconds == 0 and not self._open.is_set():
            self.someone_waits.set()
            await self._open.wait()
        await super().sleep(seconds)
