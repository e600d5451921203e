"""What compose's proxy keeps for whom: no bodies, no answers, and so many connections of one address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devstack.ports import free_port
from tests.support.doors import NO_NGINX, compose_proxy, nginx
from tests.support.waiting import within

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(nginx() is None, reason=NO_NGINX)]
MIB = 1 << 20
LIMITS = {"limit_conn address 2000;": "limit_conn address 3;", "limit_conn signalling 2000;": "limit_conn signalling 2;"}


@dataclass(slots=True)
class Behind:
    """In the API's place: keeps every request's head with its connection, and says nothing by itself but 401 at the door."""

    heads: asyncio.Queue[tuple[str, asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=asyncio.Queue)
    asked: list[str] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if "/api/livekit/admit" in head:
                self.asked.append(head)
                writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                writer.close()
            else:
                await self.heads.put((head, reader, writer))


@dataclass(slots=True)
class Proxied:
    port: int
    behind: Behind
    stack: AsyncExitStack

    async def send(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> asyncio.StreamReader:
        """A request on a connection that stays open until the end of the test."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1024)
        self.stack.push_async_callback(ended, writer)
        writer.write("\r\n".join([f"{method} {path} HTTP/1.1", "Host: rtc.example.org", *fields, "\r\n"]).encode() + body)
        return reader

    async def status(self, path: str, *fields: str, method: str = "GET") -> int:
        answer = await self.send(path, *fields, method=method)
        return int((await within(answer.readline(), 10)).split()[1])

    async def held(self, address: str) -> None:
        """A request from this address that is not answered."""
        await self.send("/healthz", f"X-Forwarded-For: {address}")
        await within(self.behind.heads.get(), 10)


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[Proxied]:
    behind, port = Behind(), free_port()
    async with AsyncExitStack() as stack:
        server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
        stack.callback(server.close)
        here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await stack.enter_async_context(compose_proxy(here, here, port, folder, LIMITS))
        yield Proxied(port, behind, stack)
        for writer in behind.writers:
            await ended(writer)


async def ended(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def test_half_a_body_is_the_api_s_to_wait_for(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy:
        await proxy.send("/v1/graphql", "Content-Length: 900000", method="POST", body=b"x" * 400_000)
        _, reader, writer = await within(proxy.behind.heads.get(), 10)
        assert await within(reader.readexactly(400_000), 10) == b"x" * 400_000
        writer.close()


async def test_an_answer_that_nobody_reads_stays_with_the_api(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy:
        await proxy.send("/v1/graphql")
        _, _, writer = await within(proxy.behind.heads.get(), 10)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (128 * MIB))
        taken = 0
        with suppress(TimeoutError):
            while taken < 128:
                writer.write(b"x" * MIB)
                async with asyncio.timeout(2):
                    await writer.drain()
                taken += 1
        # Only what the sockets' own buffers hold.
        assert taken < 64
        writer.transport.abort()


@pytest.mark.parametrize(
    ("media", "size", "compressed"),
    [("application/json; charset=utf-8", 5000, True), ("application/json", 500, False), ("text/event-stream", 5000, False)],
)
async def test_large_answers_are_compressed(tmp_path: Path, media: str, size: int, *, compressed: bool) -> None:
    async with proxied(tmp_path) as proxy:
        answer = await proxy.send("/v1/graphql", "Accept-Encoding: gzip", method="POST")
        _, _, writer = await within(proxy.behind.heads.get(), 10)
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {size}\r\n\r\n".encode() + b"7" * size)
        head = (await within(answer.readuntil(b"\r\n\r\n"), 10)).decode().lower()
        assert ("content-encoding: gzip" in head) == compressed, head


@pytest.mark.parametrize(
    ("one", "same", "another"),
    [
        ("203.0.113.{}", "203.0.113.7", "203.0.113.8"),
        ("2001:db8:1:2::{}", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ("2001:db8::a0a:{}", "2001:db8:0:0:ffff:0a0a:a:a", "2001:db8:0:1::1"),
        ("::ffff:203.0.113.{}", "203.0.113.7", "::ffff:203.0.113.8"),
    ],
)
async def test_one_address_or_network_has_so_many_connections(tmp_path: Path, one: str, same: str, another: str) -> None:
    v4 = "203" in one
    async with proxied(tmp_path) as proxy:
        for number in range(1, 4):
            await proxy.held(one.format(7 if v4 else number))
        assert await proxy.status("/healthz", f"X-Forwarded-For: {same}") == 429
        await proxy.held(another)
        # Who has filled the one still reaches signalling, and asks the door.
        assert await proxy.status("/rtc", f"X-Forwarded-For: {same}") == 401


async def test_the_door_is_told_who_asks_by_the_proxy_alone(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy:
        assert await proxy.status("/rtc", "X-Forwarded-For: 198.51.100.1, 203.0.113.7") == 401
        assert [line for line in proxy.behind.asked[0].splitlines() if "forwarded-for" in line.lower()] == ["X-Forwarded-For: 203.0.113.7"]


async def test_a_preflight_is_told_that_authorization_may_be_sent(tmp_path: Path) -> None:
    async with proxied(tmp_path) as proxy:
        answer = await proxy.send("/rtc/validate", "Origin: https://chat.example.org", method="OPTIONS")
        head = (await answer.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 204") and "Access-Control-Allow-Headers: Authorization, *" in head
