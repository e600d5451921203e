"""The door itself: read a request's head, ask the service, pass it on to LiveKit or refuse."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from devstack.signalling_door.request_head import LIMIT, BadRequest, RequestHead

PATHS: Final = frozenset({b"/rtc", b"/rtc/validate", b"/rtc/v1", b"/rtc/v1/validate"})
# Seconds, for a request's head and for the service's word.
PATIENCE: Final = 10.0
REASONS: Final[Mapping[int, str]] = {
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
# A page asks `/rtc/validate` from its own origin why its websocket was refused.
CORS: Final = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: Authorization, *\r\n"


Direction = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Refused(Exception):
    """The request goes no further; answered with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Door:
    """`livekit` is LiveKit's own address, `admit` the service's `/api/livekit/admit`."""

    livekit: str
    admit: str

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[int]:
        """Serves on 127.0.0.1; yields the port, a free one for 0."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE)) as http:
            open_connections: set[asyncio.Task[None]] = set()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                try:
                    with suppress(ConnectionError):
                        await self._serve(http, reader, writer)
                finally:
                    writer.close()

            def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                connection = asyncio.create_task(serve(reader, writer))
                open_connections.add(connection)
                connection.add_done_callback(open_connections.discard)

            server = await asyncio.start_server(accept, "127.0.0.1", port, limit=LIMIT)
            try:
                yield int(server.sockets[0].getsockname()[1])
            finally:
                server.close()
                for connection in open_connections:
                    connection.cancel()
                await asyncio.gather(*open_connections, return_exceptions=True)

    async def _serve(self, http: aiohttp.ClientSession, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: nobody is admitted with one and goes on with another."""
        try:
            async with asyncio.timeout(PATIENCE):
                head = await RequestHead.read(reader)
                await self._admitted(http, head)
            await self._pass_on(head, reader, writer)
        except BadRequest:
            writer.write(answer(400))
        except TimeoutError:
            writer.write(answer(503))
        except Refused as refusal:
            writer.write(answer(refusal.status))

    async def _admitted(self, http: aiohttp.ClientSession, head: RequestHead) -> None:
        """Raises Refused unless the service says yes; a preflight, which carries no token, is answered here."""
        if head.path not in PATHS:
            raise Refused(404)
        if head.method == b"OPTIONS":
            raise Refused(204)
        if head.method != b"GET" or head.has_body:
            raise BadRequest
        said = [("X-Original-URI", head.target.decode("ascii")), ("X-Original-Method", "GET")]
        said += [("Authorization", value.decode("latin-1")) for value in head.values(b"authorization")]
        try:
            async with http.get(self.admit, headers=said, allow_redirects=False) as response:
                status = response.status
        except aiohttp.ClientError:
            raise Refused(503) from None
        if status != 204:
            raise Refused(status if status in (401, 403) else 503)

    async def _pass_on(self, head: RequestHead, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(self.livekit)
        try:
            answers, requests = await asyncio.open_connection(address.hostname, address.port, limit=LIMIT)
        except OSError:
            raise Refused(502) from None
        try:
            requests.write(head.forwarded())
            await self._splice(head, (reader, requests), (answers, writer))
        finally:
            requests.close()

    async def _splice(self, head: RequestHead, up: Direction, down: Direction) -> None:
        """What the client sends after its head goes on only when LiveKit has said 101: until then it would be another request."""
        try:
            first = await down[0].readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise Refused(502) from None
        down[1].write(first)
        if head.upgrades and first.startswith(b"HTTP/1.1 101 "):
            await either(copy(*up), copy(*down))
        else:
            await copy(*down)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until the reader's end."""
    while data := await reader.read(LIMIT):
        writer.write(data)
        await writer.drain()


async def either(*copies: Coroutine[None, None, None]) -> None:
    """Until the first of them ends; the others end with it."""
    tasks = [asyncio.create_task(one) for one in copies]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(status: int) -> bytes:
    length = "" if status == 204 else "Content-Length: 0\r\n"
    return f"HTTP/1.1 {status} {REASONS[status]}\r\n{length}{CORS}Connection: close\r\n\r\n".encode()
