"""What came on a websocket and was not taken yet."""

import asyncio

from uvicorn._types import ASGIReceiveEvent


class WaitingMessages:
    """The part of `asyncio.Queue` that uvicorn uses, for one that takes. That one's four deques are three kilobytes a socket."""

    __slots__ = ("_messages", "_taker")

    def __init__(self) -> None:
        self._messages: list[ASGIReceiveEvent] = []
        self._taker: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._messages

    def put_nowait(self, message: ASGIReceiveEvent) -> None:
        """One more."""
        self._messages.append(message)
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    async def get(self) -> ASGIReceiveEvent:
        """The first of them, once there is one."""
        while not self._messages:
            self._taker = asyncio.get_running_loop().create_future()
            await self._taker
        return self.get_nowait()

    def get_nowait(self) -> ASGIReceiveEvent:
        """The first of them; raises IndexError where there is none."""
        return self._messages.pop(0)
