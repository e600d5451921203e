"""Whether this process runs, and a server answers: while one of them stands still nobody takes anything from anybody."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from resolvers.sql.database import DatabaseError

# Seconds. The process shows that it runs so often, and what comes later than this has stood still: both together are less than what
# makes a statement a long one.
EVERY: Final = 0.1
LATE: Final = 0.1
# That whatever else was asked has to arrive in, once the question was answered.
AFTERWARDS: Final = 0.05
# What was shown before shows nothing any more.
STALE: Final = 0.3


class ProofOfLife:
    """`ask` returns when the server has answered, or raises DatabaseError. `clock` gives seconds.

    While the server alone stands still the seconds of `now` go on: one that is too busy to answer looks the same, and whoever keeps it busy
    would pay for nothing.
    """

    def __init__(self, ask: Callable[[], Awaitable[None]], clock: Callable[[], float]) -> None:
        self._ask, self._clock = ask, clock
        self._watched: list[Collection[object]] = []
        self._stood_still = 0.0
        # Until when the process must have shown that it runs; None while nothing does that is watched.
        self._latest: float | None = None
        self._asked = self._shown = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def watch(self, running: Collection[object]) -> None:
        """While something is in it, `now` notices when the process stands still."""
        self._watched.append(running)

    def now(self) -> float:
        """The seconds of `clock` without those in which the process stood still while something watched ran."""
        now = self._clock()
        if self._latest is None:
            self._show_again(now)
        elif now > self._latest:
            self._stood_still += now - self._latest
            # Whoever looks before the process has shown that it runs again, looks at the same moment still.
            self._latest = now
        return now - self._stood_still

    def _show_again(self, now: float) -> None:
        self._latest = now + EVERY + LATE
        asyncio.get_running_loop().call_later(EVERY, self._show)

    def _show(self) -> None:
        self.now()
        self._latest = None
        if any(self._watched):
            self._show_again(self._clock())

    def since(self, now: float) -> float:
        """When the last question was asked whose answer came a moment ago: whatever ran then had its time. Another one is asked."""
        proven = self._asked if now - self._shown <= STALE else float("-inf")
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_once(), name="proof of life")
        return proven

    async def _ask_once(self) -> None:
        asked = self.now()
        try:
            await self._ask()
            await asyncio.sleep(AFTERWARDS)
            self._asked, self._shown = asked, self.now()
        except DatabaseError:
            # Nobody answers: whoever runs waits for that.
            pass
        finally:
            self._asking = None
