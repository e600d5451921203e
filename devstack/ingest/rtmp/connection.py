"""One encoder's connection: handshake, commands, then media until either side has enough."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

import structlog

from devstack.ingest.rtmp import amf, chunks
from devstack.ingest.rtmp.flv import AUDIO, DATA, VIDEO, Tag

log = structlog.get_logger()
# Seconds until an encoder has said what it wants, and that one may be silent: LiveKit's own ingress waits as long.
GREETING: Final = 10.0
SILENCE: Final = 60.0
VERSION: Final = 3
HANDSHAKE: Final = 1536
WINDOW_BYTES: Final = 2_500_000
# What an encoder writes before its metadata, which no file has.
SET_DATA_FRAME: Final = amf.written("@setDataFrame")
LEAVING: Final = ("deleteStream", "closeStream", "FCUnpublish")
# Arrived from an encoder that is none, or that went away.
GONE: Final = (asyncio.IncompleteReadError, ConnectionError, TimeoutError)


class PublishRefused(Exception):
    """The key may not be published to now; why, in words that an encoder shows."""


class Publication(Protocol):
    """Where an encoder's media goes."""

    async def take(self, tag: Tag) -> None:
        """As fast as it is wanted. Raises ConnectionError when the encoder is to be cut off."""
        ...

    async def end(self) -> None:
        """The encoder is gone. May be called twice."""
        ...


# Asked with application, key, and what cuts the encoder off. Raises PublishRefused.
Authorize = Callable[[str, str, Callable[[], None]], Awaitable[Publication]]


class Connection:
    """Refuses what is no RTMP, and keys that `authorize` refuses."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, authorize: Authorize, greeting: float = GREETING) -> None:
        self._reader, self._writer, self._authorize, self._greeting = reader, writer, authorize, greeting
        self._chunks = chunks.ChunkReader(reader)
        self._publication: Publication | None = None
        self._app, self._acknowledged, self._over = "", 0, False

    async def run(self) -> None:
        """Returns when it is over."""
        try:
            async with asyncio.timeout(self._greeting):
                await self._greet()
                while self._publication is None and not self._over:
                    await self._take(await self._chunks.message())
            while not self._over:
                async with asyncio.timeout(SILENCE):
                    message = await self._chunks.message()
                await self._take(message)
        except GONE:
            log.info("encoder_gone", app=self._app)
        except (chunks.BadChunk, amf.BadAmf) as error:
            log.info("no_encoder", reason=str(error))
        finally:
            if self._publication is not None:
                await self._publication.end()
            self._writer.close()

    async def _greet(self) -> None:
        first = await self._reader.readexactly(1 + HANDSHAKE)
        if first[0] != VERSION:
            raise chunks.BadChunk("another protocol")
        own = (int(time.time()) & 0xFFFFFFFF).to_bytes(4, "big") + bytes(HANDSHAKE - 4)
        self._writer.write(bytes([VERSION]) + own + first[1:])
        await self._reader.readexactly(HANDSHAKE)

    async def _take(self, message: chunks.Message) -> None:
        if message.kind == chunks.COMMAND:
            await self._obey(amf.Reader(message.body).values(), message.stream)
        elif message.kind in (AUDIO, VIDEO, DATA) and self._publication is not None:
            await self._publication.take(Tag(message.kind, message.stamp, message.body.removeprefix(SET_DATA_FRAME)))
        if self._chunks.taken - self._acknowledged > WINDOW_BYTES // 2:
            self._acknowledged = self._chunks.taken
            self._send(chunks.ACKNOWLEDGED, (self._chunks.taken & 0xFFFFFFFF).to_bytes(4, "big"), chunk_stream=2)
        await self._writer.drain()

    async def _obey(self, values: list[Any], stream: int) -> None:
        if len(values) < 2:
            raise amf.BadAmf("no command")
        match values:
            case ["connect", number, {**about}, *_]:
                self._connect(number, str(about.get("app", "")))
            case ["createStream", number, *_]:
                self._send(chunks.COMMAND, amf.written("_result", number, None, 1))
            case ["publish", _, _, str(key), *_]:
                await self._publish(key.partition("?")[0], stream)
            case [str(name), *_] if name in LEAVING:
                self._over = True

    def _connect(self, number: float, app: str) -> None:
        self._app = app.strip("/")
        window = WINDOW_BYTES.to_bytes(4, "big")
        self._send(chunks.WINDOW, window, chunk_stream=2)
        self._send(chunks.BANDWIDTH, window + b"\2", chunk_stream=2)
        self._send(chunks.SET_CHUNK_SIZE, chunks.SENT_CHUNK.to_bytes(4, "big"), chunk_stream=2)
        server = {"fmsVer": "FMS/3,0,1,123", "capabilities": 31}
        status = {"level": "status", "code": "NetConnection.Connect.Success", "description": "connected", "objectEncoding": 0}
        self._send(chunks.COMMAND, amf.written("_result", number, server, status))

    async def _publish(self, key: str, stream: int) -> None:
        try:
            self._publication = await self._authorize(self._app, key, self._writer.close)
        except PublishRefused as refused:
            log.info("publisher_refused", app=self._app, reason=str(refused))
            self._tell("error", "NetStream.Publish.BadName", str(refused), stream)
            self._over = True
        else:
            self._tell("status", "NetStream.Publish.Start", "publishing", stream)

    def _tell(self, level: str, code: str, words: str, stream: int) -> None:
        status = {"level": level, "code": code, "description": words}
        self._send(chunks.COMMAND, amf.written("onStatus", 0, None, status), stream=stream)

    def _send(self, kind: int, body: bytes, *, stream: int = 0, chunk_stream: int = 3) -> None:
        self._writer.write(chunks.cut(kind, body, stream=stream, chunk_stream=chunk_stream))


@asynccontextmanager
async def listening(host: str, port: int, authorize: Authorize, greeting: float = GREETING) -> AsyncIterator[None]:
    """Takes encoders inside the block; who says nothing for `greeting` seconds is no encoder."""

    async def take(reader: StreamReader, writer: StreamWriter) -> None:
        await Connection(reader, writer, authorize, greeting).run()

    async with await asyncio.start_server(take, host, port, limit=1 << 20):
        yield
