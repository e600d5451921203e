"""A client that keeps a number of connections busy with prepared requests, one at a time on each."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast


@dataclass(slots=True)
class Tally:
    answers: int = 0
    refused: int = 0
    # The first answer of those.
    refusal: bytes = b""
    latencies: list[float] = field(default_factory=list)


class Caller(asyncio.Protocol):
    """Sends a random request of the list, reads its answer by content-length, and sends the next until told to stop."""

    def __init__(self, requests: Sequence[bytes], tally: Tally, random_: random.Random) -> None:
        self.requests, self.tally, self.random = requests, tally, random_
        self.buffer = bytearray()
        self.expected = -1
        self.started = 0.0
        self.stopping = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class
        self._send()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.expected < 0:
            head = self.buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self.buffer.lower().index(b"content-length:", 0, head) + 15
            self.expected = head + 4 + int(self.buffer[at : self.buffer.index(b"\r\n", at)])
        if len(self.buffer) >= self.expected:
            self._answered()

    def _answered(self) -> None:
        if not self.buffer.startswith(b"HTTP/1.1 200") or b'"errors"' in self.buffer[:400]:
            self.tally.refused += 1
            self.tally.refusal = self.tally.refusal or bytes(self.buffer)
        self.tally.answers += 1
        self.tally.latencies.append(time.perf_counter() - self.started)
        self.buffer.clear()
        self.expected = -1
        if self.stopping:
            self.transport.close()
        else:
            self._send()

    def _send(self) -> None:
        self.started = time.perf_counter()
        self.transport.write(self.random.choice(self.requests))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None) if error is None and self.stopping else self.closed.set_exception(error or ConnectionResetError())


async def press(port: int, requests: Sequence[bytes], *, connections: int, seconds: float, seed: int) -> tuple[float, Tally]:
    """Requests per second over `seconds`, and the tally; raises when an answer was refused or a connection broke."""
    loop, tally = asyncio.get_running_loop(), Tally()
    callers = [
        (await loop.create_connection(lambda n=n: Caller(requests, tally, random.Random(seed * 1000 + n)), "127.0.0.1", port))[1]  # type: ignore[misc]
        for n in range(connections)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    rate = tally.answers / (time.perf_counter() - began)
    for caller in callers:
        caller.stopping = True
    await asyncio.gather(*(caller.closed for caller in callers))
    if tally.refused:
        raise RuntimeError(f"{tally.refused} of {tally.answers} requests were refused, the first with {tally.refusal[:800].decode()}")
    return rate, tally
