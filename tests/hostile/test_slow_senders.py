"""Requests that never become one: endless, enormous, half sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import repeat

import pytest

from tests.hostile.attacked_service import AttackedService
from tests.hostile.raw_client import HEAD, raw_client
from tests.hostile.scale import scaled
from tests.support.waiting import within

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

PIECE = b"a" * 16_384


# How each begins, and what it repeats.
ENDLESS = {
    "header": (HEAD + b"X: ", PIECE),
    "name": (HEAD, PIECE),
    "url": (b"GET /", PIECE),
    "method": (b"PO", b"S" * 16_384),
    "headers": (HEAD, b"".join(b"X%d: 1\r\n" % number for number in range(1000))),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X: 1\r\n" * 1000),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 3000),
    "extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", PIECE),
    "body": (HEAD + b"Content-Length: 10000000000\r\n\r\n", PIECE),
    "newlines": (b"", b"\r\n" * 8000),
    "pipeline": (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 500),
}
HALVES = (b"PO", HEAD, HEAD + b"Content-Length: 100\r\n\r\n{")


async def test_what_never_ends_is_ended(attacked: AttackedService) -> None:
    async def never_end(kind: str) -> None:
        start, piece = ENDLESS[kind]
        async with raw_client(attacked.port) as client:
            for sent in (start, *repeat(piece, scaled(3000, 300))):
                if not await client.send(sent):
                    return
            # Whatever was still taken into buffers: by its deadline, at the latest, it is over.
            assert await within(client.is_over(), 30), kind

    async with attacked.good_neighbour():
        await asyncio.gather(*(never_end(kind) for kind in ENDLESS for _ in range(scaled(10, 2))))


async def test_half_a_request_and_a_body_byte_by_byte_have_a_deadline(attacked: AttackedService) -> None:
    """Side by side, as both wait for the same deadline."""

    async def halves(stack: AsyncExitStack) -> None:
        clients = [await stack.enter_async_context(raw_client(attacked.port)) for _ in range(scaled(3000, 300))]
        for number, client in enumerate(clients):
            await client.send(HALVES[number % len(HALVES)])
        assert all(await asyncio.gather(*(client.is_over() for client in clients)))

    async def drip() -> AsyncIterator[bytes]:
        yield HEAD + b"Content-Length: 1000000\r\n\r\n"
        while True:
            await asyncio.sleep(0.1)  # the attack's own pace
            yield b" "

    async def drips(_: int) -> None:
        async with raw_client(attacked.port) as client:
            over = asyncio.create_task(client.is_over())
            async for sent in drip():
                if over.done() or not await client.send(sent):
                    break

    async with attacked.good_neighbour(), AsyncExitStack() as stack:
        await within(asyncio.gather(halves(stack), *map(drips, range(scaled(200, 30)))), 60)
