"""What stands between a service and its Redis: hints are dropped, doubled and delayed, so that later ones overtake them."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

# Of a hundred hints so many meet this; of the first three each another thing. Late is up to so many seconds.
FATES: Final = {"dropped": 5, "doubled": 5, "delayed": 20, "passed on": 70}
TROUBLES: Final = ("dropped", "doubled", "delayed")
LATEST: Final = 0.05
_A_HINT: Final = b"*3\r\n$7\r\nmessage\r\n"
_SIMPLE: Final = b"+-:"
_CHUNK: Final = 64 * 1024


class FaultyBroker:
    """A proxy. `done` counts what was done to hints."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self._port, self._dice = port, dice
        self.done: Counter[str] = Counter()
        self._first = iter(TROUBLES)
        self._serving: set[asyncio.Task[None]] = set()
        self._ended = False

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        if self._ended:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._connect(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        # Not in the task itself: one that is cancelled before its first step does nothing at all.
        task.add_done_callback(lambda _: writer.transport.abort())

    async def end(self) -> None:
        """Ends all connections, those that come in this very moment too."""
        self._ended = True
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
            ways = [asyncio.create_task(_asked(reader, there_writer)), asyncio.create_task(self._answered(there_reader, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # Before anything is waited for: this may be cancelled while it ends.
                there_writer.transport.abort()
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        while data := await reader.read(_CHUNK):
            *replies, rest = split(rest + data)
            for reply in replies:
                if reply.startswith(_A_HINT):
                    self._meet(reply, writer)
                else:
                    writer.write(reply)
            await writer.drain()

    def _meet(self, hint: bytes, writer: asyncio.StreamWriter) -> None:
        fate = next(self._first, None) or self._dice.choices(list(FATES), list(FATES.values()))[0]
        self.done[fate] += 1
        match fate:
            case "doubled":
                writer.write(hint + hint)
            case "delayed":
                asyncio.get_running_loop().call_later(self._dice.uniform(0, LATEST), _write, writer, hint)
            case "passed on":
                writer.write(hint)


def _write(writer: asyncio.StreamWriter, hint: bytes) -> None:
    if not writer.is_closing():
        writer.write(hint)


async def _asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


def split(data: bytes) -> Iterator[bytes]:
    """The whole replies in RESP (version 2), then what is left of one that is not complete. Raises ValueError for what is none."""
    start = 0
    while (end := _end(data, start)) is not None:
        yield data[start:end]
        start = end
    yield data[start:]


def _end(data: bytes, start: int) -> int | None:
    """Where the reply ends that begins at `start`; None while that has not come."""
    line = data.find(b"\r\n", start)
    if line < 0:
        return None
    kind, end = data[start : start + 1], line + 2
    if kind in _SIMPLE:
        return end
    size = int(data[start + 1 : line])
    if kind == b"$":
        end += size + 2 if size >= 0 else 0
        return end if end <= len(data) else None
    if kind != b"*":
        raise ValueError(f"no reply in RESP 2: {data[start : start + 20]!r}")
    place: int | None = end
    for _ in range(size):
        place = None if place is None else _end(data, place)
    return place


@asynccontextmanager
async def faulty_broker(port: int, dice: random.Random) -> AsyncIterator[tuple[FaultyBroker, str]]:
    """The proxy to the Redis on this port, and the address of Redis through it."""
    proxy = FaultyBroker(port, dice)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await proxy.end()
