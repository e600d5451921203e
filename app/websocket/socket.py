"""One ASGI websocket: text in, text out, and no more held for a client than one answer that it has yet to take."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from starlette.types import Receive, Scope, Send

from app.connections.websocket_protocol import DRAIN
from app.websocket.closing import CloseCode

# Their answers are kept until they are sent, for a mutation can't be asked again.
MUTATIONS_AT_ONCE = 4


WriteNow = Callable[[bytes], bool]


class Disconnected(Exception):
    """The client is gone, or was dropped because it did not read."""


class Drain(Protocol):
    """What our server knows of a client that takes its messages, or does not."""

    def comes_from(self, host: str) -> None:
        """Where the client is, as the application knows it."""
        ...

    def is_full(self) -> bool:
        """Whether the client has yet to take what was sent before."""
        ...

    async def drained(self) -> None:
        """Returns when it took nearly all of that, or is gone."""
        ...

    async def send_text(self, text: bytes) -> None:
        """Takes a message; raises an OSError when the client is gone."""
        ...

    def write_now(self, frames: bytes) -> bool:
        """Whole frames, written at once; False when the client is gone, has yet to take what was sent before, or the line is kept."""
        ...

    def keep_line(self, kept: bool) -> None:
        """While it is kept nothing is written at once."""
        ...

    def hold(self, size: int) -> None:
        """So many bytes more (or less, below zero) wait to be sent: whoever makes the process hold too much is dropped."""
        ...


class Socket:
    """Sending waits while the client is slow; a client that takes nothing for long is dropped by the server."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._drain: Drain | None = scope.get("extensions", {}).get(DRAIN)
        if self._drain is not None and scope.get("client"):
            self._drain.comes_from(scope["client"][0])
        self._turn = asyncio.Lock()
        self.mutating = asyncio.Semaphore(MUTATIONS_AT_ONCE)

    async def accept(self, subprotocol: str | None) -> None:
        """Takes the upgrade; raises Disconnected."""
        await self._pass_on({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})

    async def receive(self) -> str | None:
        """The next message's text, None for a binary one; raises Disconnected at the end."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            raise Disconnected
        text = message.get("text")
        return text if isinstance(text, str) else None

    def is_busy(self) -> bool:
        """Whether a message would have to wait: for what the client has yet to take, or for another that is before it."""
        return self._turn.locked() or (self._drain is not None and self._drain.is_full())

    @asynccontextmanager
    async def turn(self, holding: int = 0) -> AsyncIterator[None]:
        """One operation at a time, and only when the client took what was sent before; who waits says how many bytes it holds."""
        with self._held(holding):
            async with self._turn:
                if self._drain is None:
                    yield
                    return
                self._drain.keep_line(True)
                try:
                    await self._drain.drained()
                    yield
                finally:
                    self._drain.keep_line(False)

    async def send(self, text: bytes) -> None:
        """Returns when the server took the message, UTF-8; raises Disconnected."""
        with self._held(len(text)):
            if self._drain is None:
                await self._pass_on({"type": "websocket.send", "text": text.decode()})
                return
            try:
                await self._drain.send_text(text)
            except OSError:
                raise Disconnected from None

    async def send_all(self, texts: Iterable[bytes]) -> None:
        """One after the other."""
        for text in texts:
            await self.send(text)

    @property
    def write_now(self) -> WriteNow | None:
        """Writes whole frames at once between other messages, or answers False when they have to go the long way. None: they always do."""
        return None if self._drain is None else self._drain.write_now

    async def close(self, code: CloseCode, reason: str) -> None:
        """Says goodbye, once the client took what was sent before."""
        await self._pass_on({"type": "websocket.close", "code": int(code), "reason": reason})

    @contextmanager
    def _held(self, size: int) -> Iterator[None]:
        """A message that has to wait is counted among all that the process holds."""
        if self._drain is None or not size or not self.is_busy():
            yield
            return
        self._drain.hold(size)
        try:
            yield
        finally:
            self._drain.hold(-size)

    async def _pass_on(self, message: dict[str, object]) -> None:
        try:
            await self._send(message)
        except OSError:  # the server's ClientDisconnected
            raise Disconnected from None
