"""RTMP without an encoder: what is no RTMP ends that connection and nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from devstack.ingest.rtmp import amf, listening
from devstack.ingest.rtmp.chunks import COMMAND, cut
from devstack.ingest.rtmp.connection import HANDSHAKE, VERSION
from devstack.ports import free_port
from tests.devstack.media.receiving import KEY, Platform

pytestmark = pytest.mark.anyio
GREETING = bytes([VERSION]) + bytes(2 * HANDSHAKE)
CONNECT = cut(COMMAND, amf.written("connect", 1, {"app": "app"}))


@pytest.fixture
async def server(anyio_backend: str) -> AsyncIterator[Platform]:
    one = Platform(free_port())
    async with listening("127.0.0.1", one.port, one.authorize):
        yield one


async def said(server: Platform, *pieces: bytes) -> bytes:
    """What comes back until the server hangs up, which it does when we stop sending at the latest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def publish(key: str) -> bytes:
    return cut(COMMAND, amf.written("publish", 5, None, key, "live"), stream=1)


async def test_a_publisher_is_let_in_by_the_key(server: Platform) -> None:
    assert b"NetStream.Publish.Start" in await said(server, GREETING, CONNECT, publish(KEY))
    assert server.over.is_set()


async def test_another_key_is_refused_with_words(server: Platform) -> None:
    answer = await said(server, GREETING, CONNECT, publish("another"))
    assert b"NetStream.Publish.BadName" in answer and b"another key" in answer


NOISE = random.Random(7)  # noqa: S311 - the same noise each time
BAD = {
    "nothing": [],
    "http": [b"GET / HTTP/1.1\r\n\r\n" * 100],
    "half a greeting": [GREETING[:100]],
    "noise": [NOISE.randbytes(5_000)],
    "noise after the greeting": [GREETING, NOISE.randbytes(5_000)],
    "a huge message": [GREETING, bytes([3]) + bytes(3) + b"\xff\xff\xff" + bytes([COMMAND]) + bytes(4)],
    "no command": [GREETING, cut(COMMAND, amf.written(None))],
    "a command that is cut off": [GREETING, cut(COMMAND, amf.written("connect", 1, {"app": "app"})[:-5])],
    "objects without end": [GREETING, cut(COMMAND, amf.written("connect") + b"\3\0\1a" * 50)],
    "many chunk streams": [GREETING, b"".join(bytes([0, number]) + bytes(11) for number in range(200))],
}


@pytest.mark.parametrize("name", BAD)
async def test_what_is_no_rtmp_ends_alone(server: Platform, name: str) -> None:
    assert b"Publish.Start" not in await said(server, *BAD[name])
    assert b"NetStream.Publish.Start" in await said(server, GREETING, CONNECT, publish(KEY))


@pytest.mark.parametrize("values", [["a", 1.0, None, True, {"b": "ü", "c": {"d": 2.0}}], ["_result", 0.0]])
def test_amf_is_read_as_it_is_written(values: list[object]) -> None:
    assert amf.Reader(amf.written(*values)).values() == values


@pytest.mark.parametrize("data", [b"\0\0", b"\2\0\x09abc", b"\3\0\1a", b"\x0c", b"\x0a\xff\xff\xff\xff"])
def test_what_is_no_amf(data: bytes) -> None:
    with pytest.raises(amf.BadAmf):
        amf.Reader(data).values()
