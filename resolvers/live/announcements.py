"""Waiting for what is told next, by many at once."""

import asyncio
from typing import Generic, TypeVar

from domain.hub import AskAnew
from permissions.errors import GraphQLRefusal
from resolvers.run.unexpected_errors import unexpected

T = TypeVar("T")


class Announcements(Generic[T]):
    """Told to all who wait at that moment, until it is over."""

    def __init__(self) -> None:
        self._next: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._over: BaseException | None = None

    @property
    def is_over(self) -> bool:
        return self._over is not None

    def tell(self, news: T) -> None:
        told, self._next = self._next, asyncio.get_running_loop().create_future()
        if not told.done():
            told.set_result(news)

    def end(self, failure: BaseException) -> None:
        """Nobody may wait for what is told no more."""
        self._over = self._over or failure
        if not self._next.done():
            self._next.set_result(None)

    async def next(self) -> T:
        """Raises what ended it."""
        self.check()
        # Shielded: many wait for it, and one of them may go.
        told = await asyncio.shield(self._next)
        if told is None:
            self.check()
            raise RuntimeError("it is over and nobody says why")
        return told

    def check(self) -> None:
        """Raises what ended it, if it is over."""
        match self._over:
            case None:
                return
            case GraphQLRefusal() as refused:
                # Each follower's own: an exception remembers where it was raised.
                raise GraphQLRefusal(refused.code, refused.message, refused.path, **refused.extra) from refused.__cause__
            case AskAnew():
                raise AskAnew
            case failure:
                raise unexpected(failure)
