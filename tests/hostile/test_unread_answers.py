"""Clients that ask for much and take nothing: what they were to get is not kept for them."""

from contextlib import AsyncExitStack
from itertools import cycle

import httpx2
import pytest
from graphql import get_introspection_query

from tests.hostile.attacked_service import AttackedService
from tests.hostile.raw_client import frame, message, raw_client, request, upgrade
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

INTROSPECTION = get_introspection_query()


@pytest.mark.parametrize("kind", ["query", "subscription"])
async def test_unread_answers_on_websockets(attacked: AttackedService, kind: str) -> None:
    async with attacked.good_neighbour(), AsyncExitStack() as stack:
        # Of one person alone most live queries would be refused.
        for place, name in zip(range(scaled(24, 8)), cycle(["alice", "carol", "dave", "mod"]), strict=False):
            client = await stack.enter_async_context(raw_client(attacked.port))
            await upgrade(client)
            await client.send(message(type="connection_init", payload={"headers": attacked.bearer(name)}))
            for number in range(30):
                asked = {"query": INTROSPECTION} if kind == "query" else live_query(f"{place} {number}")
                await client.send(message(type="subscribe", id=str(number), payload=asked))
        await _some_time_passes(attacked)


def live_query(nobody: str) -> dict[str, object]:
    """Some 55 KB for whoever sees four people; by its variable another one than all others."""
    wide = " ".join(f"a{number}: id" for number in range(300))
    return {
        "query": f"subscription ($nobody: String!) {{ nchat_users(where: {{username: {{_neq: $nobody}}}}) {{ {wide} }} }}",
        "variables": {"nobody": nobody},
    }


async def test_the_live_query_of_the_attack_has_a_large_answer(attacked: AttackedService) -> None:
    asked = live_query("nobody")
    asked["query"] = str(asked["query"]).replace("subscription", "query", 1)
    async with httpx2.AsyncClient(base_url=attacked.url, headers=attacked.bearer("alice"), timeout=20) as http:
        assert len((await http.post("/v1/graphql", json=asked)).content) > 50_000


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
