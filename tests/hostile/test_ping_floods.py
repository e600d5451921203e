"""Websockets that send as fast as they can, and read nothing of what comes back, or all of it."""

import asyncio
from contextlib import AsyncExitStack
from itertools import product

import orjson
import pytest

from tests.hostile.attacked_service import AttackedService
from tests.hostile.raw_client import RawClient, frame, message, raw_client, upgrade
from tests.hostile.scale import scaled
from tests.support.waiting import within

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

PING, PONG = 9, 10
FLOODS = {
    "protocol pings": frame(b"", PING),
    "large protocol pings": frame(b"p" * 125, PING),
    "protocol pongs": frame(b"", PONG),
    "pings": message(type="ping"),
    "pongs": message(type="pong"),
    "subscribe and complete": message(type="subscribe", id="1", payload={"query": "subscription { nchat_users { id } }"})
    + message(type="complete", id="1"),
    "fragments": b"\x01" + frame(b"x")[1:] + (b"\x00" + frame(b"x")[1:]) * 20,
    "completes": message(type="complete", id="1"),
}


async def test_floods_are_slowed_down_and_then_ended(attacked: AttackedService) -> None:
    async def attack(flood: bytes, reading: bool) -> None:
        async with raw_client(attacked.port) as client:
            await _connected(client)
            over = asyncio.create_task(client.is_over()) if reading else None
            while await client.send(flood * 500):
                if over is not None and over.done():
                    break
            if over is not None:
                over.cancel()

    async with attacked.good_neighbour():
        floods = product(FLOODS.values(), [True, False] * scaled(5, 1))
        await within(asyncio.gather(*(attack(flood, reading) for flood, reading in floods)), 90)


async def test_many_websockets_of_one_client_do_not_add_up(attacked: AttackedService) -> None:
    """None of them sends more than it may."""
    sockets, each = scaled(250, 80), 280
    ping = message(type="ping")
    pong = len(b'{"type":"pong"}') + 2

    async with AsyncExitStack() as stack, attacked.good_neighbour():
        clients = [await stack.enter_async_context(raw_client(attacked.port)) for _ in range(sockets)]
        for client in clients:
            await _connected(client)

        async def attack(client: RawClient) -> None:
            await client.send(ping * each)
            for _ in range(30):
                await client.reader.readexactly(pong)

        await within(asyncio.gather(*map(attack, clients)), 90)


async def _connected(client: RawClient) -> None:
    await upgrade(client)
    await client.send(frame(orjson.dumps({"type": "connection_init"})))
    assert b"connection_ack" in await client.reader.read(1000)
