"""What waits to be told: distinct topics, never more than a fixed number of them."""

import asyncio
from typing import Final

# More wait only while the broker is away; a hint that is dropped costs its readers a second.
MAX_WAITING: Final = 10_000


class Topics:
    """A bounded queue of distinct topics, oldest first."""

    def __init__(self) -> None:
        self._topics: dict[str, None] = {}
        self._some = asyncio.Event()

    def add(self, topic: str) -> None:
        if len(self._topics) < MAX_WAITING:
            self._topics[topic] = None
            self._some.set()

    async def take(self, most: int) -> list[str]:
        """At least one, at most `most`; waits while there is none."""
        await self._some.wait()
        taken = list(self._topics)[:most]
        for topic in taken:
            del self._topics[topic]
        if not self._topics:
            self._some.clear()
        return taken
