"""Chunks: how RTMP cuts its messages up, so that a small one passes a large one."""

from asyncio import StreamReader
from dataclasses import dataclass, field
from typing import Final

# Message types.
SET_CHUNK_SIZE, ABORT, ACKNOWLEDGED, WINDOW, BANDWIDTH, COMMAND = 1, 2, 3, 5, 6, 20
LARGEST_MESSAGE: Final = 8 << 20
LARGEST_CHUNK: Final = 1 << 20
# Headers of this length bring nothing new.
_HEADERS: Final = (11, 7, 3)
_EXTENDED: Final = 0xFFFFFF
SENT_CHUNK: Final = 4096
# Chunk streams that one connection may use; encoders use half a dozen.
MOST_STREAMS: Final = 64


class BadChunk(ValueError):
    """Not RTMP, or more than we take."""


@dataclass(frozen=True, slots=True)
class Message:
    kind: int
    stamp: int
    stream: int
    body: bytes


@dataclass(slots=True)
class _Stream:
    """What the headers of a chunk stream said last."""

    stamp: int = 0
    delta: int = 0
    size: int = 0
    kind: int = 0
    stream: int = 0
    extended: bool = False
    body: bytearray = field(default_factory=bytearray)


class ChunkReader:
    """Puts messages together again; `taken` counts the bytes."""

    def __init__(self, reader: StreamReader) -> None:
        self._reader = reader
        self._streams: dict[int, _Stream] = {}
        self._chunk = 128
        self.taken = 0

    async def message(self) -> Message:
        """The next whole one; those about chunks themselves are obeyed here. Raises BadChunk, IncompleteReadError at the end."""
        while True:
            one = await self._whole()
            if one.kind == SET_CHUNK_SIZE:
                self._chunk = max(1, min(int.from_bytes(one.body[:4], "big"), LARGEST_CHUNK))
            else:
                return one

    async def _whole(self) -> Message:
        while True:
            stream = await self._header()
            stream.body += await self._read(min(self._chunk, stream.size - len(stream.body)))
            if len(stream.body) >= stream.size:
                body, stream.body = bytes(stream.body), bytearray()
                return Message(stream.kind, stream.stamp, stream.stream, body)

    async def _header(self) -> _Stream:
        first = (await self._read(1))[0]
        form, number = first >> 6, first & 63
        if number < 2:
            rest = await self._read(1 + number)
            number = 64 + int.from_bytes(rest, "little")
        if number not in self._streams and len(self._streams) >= MOST_STREAMS:
            raise BadChunk("too many chunk streams")
        stream = self._streams.setdefault(number, _Stream())
        if form < len(_HEADERS):
            await self._take_header(stream, form)
        else:
            if stream.extended:
                await self._read(4)
            if not stream.body:
                stream.stamp = (stream.stamp + stream.delta) & 0xFFFFFFFF
        return stream

    async def _take_header(self, stream: _Stream, form: int) -> None:
        header = await self._read(_HEADERS[form])
        if form < 2:
            stream.size, stream.kind = int.from_bytes(header[3:6], "big"), header[6]
            if stream.size > LARGEST_MESSAGE:
                raise BadChunk("too large a message")
        if form == 0:
            stream.stream = int.from_bytes(header[7:11], "little")
        time = int.from_bytes(header[:3], "big")
        stream.extended = time == _EXTENDED
        if stream.extended:
            time = int.from_bytes(await self._read(4), "big")
        stream.delta = 0 if form == 0 else time
        stream.stamp = time if form == 0 else (stream.stamp + time) & 0xFFFFFFFF

    async def _read(self, size: int) -> bytes:
        self.taken += size
        return await self._reader.readexactly(size)


def cut(kind: int, body: bytes, *, stream: int = 0, chunk_stream: int = 3) -> bytes:
    """A message of time zero as chunks of SENT_CHUNK bytes, once the other side knows of that size."""
    head = bytes([chunk_stream]) + bytes(3) + len(body).to_bytes(3, "big") + bytes([kind]) + stream.to_bytes(4, "little")
    pieces = [body[at : at + SENT_CHUNK] for at in range(0, len(body), SENT_CHUNK)] or [b""]
    return head + bytes([0xC0 | chunk_stream]).join(pieces)
