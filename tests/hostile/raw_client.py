"""Clients that do not behave: bytes on a TCP connection, sent as slowly, as often and as half as an attack wants."""

import asyncio
import base64
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

HEAD = b"POST /v1/graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@dataclass(frozen=True, slots=True)
class RawClient:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> bool:
        """Whether the server still takes anything."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except OSError:
            return False
        return not self.writer.is_closing()

    async def is_over(self) -> bool:
        """Returns once the server has closed: True. What it said before is thrown away."""
        try:
            while await self.reader.read(1 << 16):
                pass
        except OSError:
            pass
        return True

    def reset(self) -> None:
        """Gone without a word."""
        connected: socket.socket = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[RawClient]:
    """One connection; its receive buffer is small, so that what it does not read stays with the server."""
    connected = socket.socket()
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connected.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connected, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=connected, limit=1 << 16)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.transport.abort()


def request(body: object, headers: dict[str, str]) -> bytes:
    """A complete request."""
    sent = orjson.dumps(body)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return HEAD + f"{lines}Content-Length: {len(sent)}\r\n\r\n".encode() + sent


async def upgrade(client: RawClient) -> None:
    """The connection is a websocket from now on."""
    key = base64.b64encode(os.urandom(16)).decode()
    await client.send(
        "GET /v1/graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    assert b" 101 " in await client.reader.readuntil(b"\r\n\r\n")


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """One masked frame; the mask of zeroes leaves the payload as it is."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def message(**fields: object) -> bytes:
    """One message of graphql-transport-ws."""
    return frame(orjson.dumps(fields))
