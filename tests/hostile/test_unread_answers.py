"""Clients that ask for much and take nothing: what they were to get is not kept for them."""

from contextlib import AsyncExitStack

import httpx2
import pytest
from graphql import get_introspection_query

from tests.hostile.attacked_service import AttackedService
from tests.hostile.raw_client import frame, message, raw_client, request, upgrade
from tests.hostile.scale import scaled

pytestmark = pytest.mark.anyio

INTROSPECTION = get_introspection_query()


@pytest.mark.parametrize("kind", ["query", "subscription"])
async def test_unread_answers_on_websockets(attacked: AttackedService, kind: str) -> None:
    wide = f"subscription {{ nchat_users {{ {' '.join(f'a{number}: name' for number in range(400))} }} }}"
    asked = INTROSPECTION if kind == "query" else wide
    async with attacked.good_neighbour(), AsyncExitStack() as stack:
        for _ in range(scaled(40, 8)):
            client = await stack.enter_async_context(raw_client(attacked.port))
            await upgrade(client)
            await client.send(message(type="connection_init", payload={"headers": attacked.bearer("mallory")}))
            for number in range(30):
                await client.send(message(type="subscribe", id=str(number), payload={"query": asked}))
        await _some_time_passes(attacked)


async def test_unread_answers_of_pipelined_requests(attacked: AttackedService) -> None:
    async with attacked.good_neighbour(), AsyncExitStack() as stack:
        for _ in range(scaled(40, 8)):
            client = await stack.enter_async_context(raw_client(attacked.port))
            await client.send(request({"query": INTROSPECTION}, attacked.bearer("mallory")) * 15)
        await _some_time_passes(attacked)


async def test_pings_whose_pongs_nobody_takes(attacked: AttackedService) -> None:
    async with attacked.good_neighbour(), AsyncExitStack() as stack:
        for _ in range(scaled(40, 8)):
            client = await stack.enter_async_context(raw_client(attacked.port))
            await upgrade(client)
            await client.send(frame(b"p" * 125, 9) * 400)
        await _some_time_passes(attacked)


async def _some_time_passes(attacked: AttackedService) -> None:
    """Until somebody else was answered two hundred times: the attackers' answers are made meanwhile, or would be."""
    async with httpx2.AsyncClient(base_url=attacked.url, headers=attacked.bearer("bob")) as http:
        for _ in range(200):
            assert (await http.post("/v1/graphql", json={"query": "{ nchat_users(limit: 2) { id } }"})).is_success
