"""One subscription: a cursor in a room."""

import asyncio

from permissions.session import Session
from resolvers.feeds.told import Direct, EventBatch
from resolvers.hand_written.context import Read


class Follower:
    """Live, it gets what is new the moment it is encoded, by the short way. Behind, or without such a way, it asks for what follows.

    `read` asks the engine with its permissions. `known` was the room's last seq when it came, `who` is all that its right depends on,
    once that was looked at: it follows no more when the rules change.
    """

    __slots__ = ("_direct", "_waiting", "cursor", "ended", "known", "live", "read", "session", "who")

    def __init__(self, session: Session, read: Read, direct: Direct | None) -> None:
        self.session, self.read = session, read
        self.cursor = self.known = 0
        self.live = False
        self.who: tuple[str, ...] | None = None
        # Why it is over: the right is lost, or its cursor means nothing any more.
        self.ended: Exception | None = None
        self._direct = direct
        # While it waits; an Event is ten times as large, and most followers hear nothing for hours.
        self._waiting: asyncio.Future[None] | None = None

    def push(self, batch: EventBatch) -> None:
        """All that it misses, while it is live. Who can't take it now takes it later, from where it is."""
        if self._direct is not None and self._direct.push(batch):
            self.cursor = batch.last
        else:
            self.live = False
            self.wake()

    def end(self, error: Exception) -> None:
        """Nothing more is sent, not even what is waiting. The first reason holds."""
        self.ended, self.live = self.ended or error, False
        self.wake()

    async def wait(self, told: int) -> None:
        """Returns when there is something that has to be asked for, or it is over. `told` is what everybody has been sent until now."""
        self.live = self._direct is not None and self.cursor == told
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def wake(self) -> None:
        """There is something new, or it is over."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
