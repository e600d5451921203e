"""Many subscribers in one process: `python -m bench.fanout.swarm PORT SUBSCRIBERS` reads a line of JSON with its order on stdin.

The order is `{"path", "subprotocol", "messages"}`: lists of texts, one of which each subscriber sends, in turn: the first text after the
upgrade, the others when that was acknowledged. It prints `ready` when all have subscribed; each further line of stdin is answered with a
line of JSON: what was received since, and what was wrong with it. A third argument is how many of them read for a hundredth of the time,
until a line of stdin says `fast`.
"""

import asyncio
import base64
import os
import resource
import sys
import time
from collections.abc import Sequence
from typing import cast

import orjson
import uvloop

# What stands before the number, and before the time (seconds of the monotonic clock) of an event.
SEQ, AT = b'"seq":', b'"at":'
ACKNOWLEDGED = b"connection_ack"
MASK = b"\0\0\0\0"
# How many connect at once.
AT_ONCE = 100


class Received:
    """What all subscribers received since the last report."""

    def __init__(self) -> None:
        self.events = self.lost = self.doubled = self.closed = 0
        self.delays: list[float] = []

    def report(self) -> bytes:
        delays = sorted(self.delays) or [0.0]
        return orjson.dumps(
            {
                "events": self.events,
                "lost": self.lost,
                "doubled": self.doubled,
                "closed": self.closed,
                "p50": delays[len(delays) // 2],
                "p99": delays[int(len(delays) * 0.99)],
            }
        )


class Subscriber(asyncio.Protocol):
    """One websocket that checks that each number follows the one before."""

    received = Received()

    def __init__(self, path: str, subprotocol: str, messages: Sequence[bytes]) -> None:
        self._path, self._subprotocol, self._messages = path, subprotocol, messages
        self._buffer, self._upgraded, self._seq = b"", False, 0
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sample = False
        self._slow: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {self._path} HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Protocol: {self._subprotocol}", "", ""]
        self._transport.write("\r\n".join(lines).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.received.closed += 1
        if not self.subscribed.done():
            self.subscribed.set_exception(exc or ConnectionError("closed before it subscribed"))

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        if not self._upgraded:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._buffer = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.subscribed.set_exception(ConnectionError(head.decode()))
                return
            self._upgraded = True
            self._begin()
        place = 0
        while (end := _frame_end(data, place)) is not None:
            start, stop = end
            self._take(data, place, start, stop)
            place = stop
        self._buffer = data[place:]

    def _take(self, data: bytes, head: int, start: int, stop: int) -> None:
        if data[head] & 15 == 9:
            self._transport.write(b"\x8a" + bytes((0x80 | (stop - start),)) + MASK + data[start:stop])
            return
        at = data.find(SEQ, start, stop)
        if at < 0:
            if not self.subscribed.done() and data.find(ACKNOWLEDGED, start, stop) > 0:
                self._subscribe()
            return
        received, seq = self.received, _number(data, at + len(SEQ), stop)
        received.events += 1
        if self._seq and seq != self._seq + 1:
            received.lost += max(0, seq - self._seq - 1)
            received.doubled += seq <= self._seq
        self._seq = max(self._seq, seq)
        sent = data.find(AT, start, stop) if self._sample else -1
        if sent > 0:
            received.delays.append(time.monotonic() - float(data[sent + len(AT) : _end(data, sent + len(AT), stop)]))

    def _begin(self) -> None:
        if self._messages:
            self._transport.write(masked(self._messages[0]))
        else:
            self._subscribe()

    def _subscribe(self) -> None:
        self._transport.write(b"".join(map(masked, self._messages[1:])))
        self.subscribed.set_result(None)

    def read_slowly(self) -> None:
        """For a hundredth of the time, until it is told to `read_on`."""
        self._slow = asyncio.get_running_loop().create_task(self._now_and_then())

    def read_on(self) -> None:
        """Like the others."""
        if self._slow is not None:
            self._slow.cancel()
            self._transport.resume_reading()

    async def _now_and_then(self) -> None:
        while True:
            self._transport.pause_reading()
            await asyncio.sleep(0.99)
            self._transport.resume_reading()
            await asyncio.sleep(0.01)

    def sample(self) -> None:
        """From now on it also measures how long events took."""
        self._sample = True


def masked(text: bytes) -> bytes:
    """A client's text message of less than 64 KiB."""
    size = len(text)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2)
    return head + MASK + text


def _frame_end(data: bytes, place: int) -> tuple[int, int] | None:
    """Where the payload of the frame at `place` begins and ends; None while it is not complete."""
    if len(data) - place < 2:
        return None
    size, start = data[place + 1] & 127, place + 2
    if size > 125:
        width = 2 if size == 126 else 8
        size, start = int.from_bytes(data[start : start + width]), start + width
    return (start, start + size) if len(data) >= start + size else None


def _number(data: bytes, start: int, stop: int) -> int:
    return int(data[start : _end(data, start, stop)])


def _end(data: bytes, start: int, stop: int) -> int:
    while start < stop and data[start] not in b",}":
        start += 1
    return start


async def main(port: int, many: int, slow: int = 0) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    order = orjson.loads(await orders.readline())
    messages = [[text.encode() for text in texts] for texts in order["messages"]]
    subscribers: list[Subscriber] = []

    async def connect(number: int) -> Subscriber:
        made = Subscriber(order["path"], order["subprotocol"], messages[number % len(messages)])
        await loop.create_connection(lambda: made, "127.0.0.1", port)
        return made

    for start in range(0, many, AT_ONCE):
        opened = await asyncio.gather(*(connect(number) for number in range(start, min(start + AT_ONCE, many))))
        subscribers += opened
        await asyncio.gather(*(subscriber.subscribed for subscriber in subscribers[start:]))
    for subscriber in subscribers[:: max(1, many // 100)]:
        subscriber.sample()
    for subscriber in subscribers[:slow]:
        subscriber.read_slowly()
    print("ready", flush=True)
    while told := await orders.readline():
        if told == b"fast\n":
            for subscriber in subscribers[:slow]:
                subscriber.read_on()
        received, Subscriber.received = Subscriber.received, Received()
        sys.stdout.buffer.write(received.report() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
