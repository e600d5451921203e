"""One question for many who ask the same at about the same time, each of whom gets an answer from after they asked."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Asked(Generic[Answer]):
    """What is on its way, and what follows it for those who came too late for it."""

    running: "asyncio.Task[Answer]"
    following: "asyncio.Task[Answer] | None" = None


class SharedRounds(Generic[Key, Answer]):
    """Who comes while a question is on its way waits for the next one, with all who came meanwhile: a right that was lost in between is
    seen by each of them, and a thousand cost as much as two."""

    def __init__(self) -> None:
        self._asked: dict[Key, _Asked[Answer]] = {}

    async def ask(self, key: Key, look: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `look` answers; it is the same whoever of those with this key brings it. What it raises, all hear who wait for it."""
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = _Asked(asyncio.create_task(self._look(key, look)))
            return await asyncio.shield(asked.running)
        if asked.following is None:
            asked.following = asyncio.create_task(self._after(asked.running, key, look))
        return await asyncio.shield(asked.following)

    async def _after(self, before: "asyncio.Task[Answer]", key: Key, look: Callable[[], Awaitable[Answer]]) -> Answer:
        await asyncio.wait([before])
        return await self._look(key, look)

    async def _look(self, key: Key, look: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await look()
        finally:
            self._next(key)

    def _next(self, key: Key) -> None:
        """The one that follows is on its way from now on."""
        asked = self._asked[key]
        if asked.following is None:
            del self._asked[key]
        else:
            self._asked[key] = _Asked(asked.following)
