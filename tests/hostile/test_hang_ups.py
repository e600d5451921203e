"""Clients that ask for something expensive and are gone before it is there, again and again."""

import asyncio

import pytest

from tests.hostile.attacked_service import AttackedService
from tests.hostile.raw_client import raw_client, request
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

# Long to run, long to compile, and asked for by many at once.
EXPENSIVE = [
    {"query": '{ nchat_users(where: {name: {_regex: "(a+)+$"}}) { channel_members { channel { channel_members { user { name } } } } } }'},
    {"query": "{" + " ".join(f"a{number}: nchat_users(limit: 0) {{ id }}" for number in range(30)) + "}"},
    [{"query": "{ nchat_users { id } }"}] * 50,
]


@pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])
async def test_who_hangs_up_leaves_no_work_behind(attacked: AttackedService, reset: bool) -> None:
    async def attack(number: int) -> None:
        for repeated in range(scaled(100, 10)):
            async with raw_client(attacked.port) as client:
                await client.send(request(EXPENSIVE[(number + repeated) % len(EXPENSIVE)], attacked.bearer("mallory")))
                if reset:
                    client.reset()

    async with attacked.good_neighbour():
        await asyncio.gather(*map(attack, range(10)))
