"""Mutations that have begun: none is cut in the middle because its sender hung up."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class BegunMutations:
    """Of an action half may be outside of any transaction (a room at the media server), so whatever has begun runs to its end.

    What still waits for its turn has not begun, and is dropped with its sender.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, mutation: Coroutine[Any, Any, T]) -> T:
        """Its outcome; when the waiting is cancelled it goes on by itself."""
        task = asyncio.create_task(mutation)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """The process ends, and has waited long enough: what still runs is rolled back, and the reconciler repairs the rest."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
