"""Callers who ask the same again and again, each on connections of its own."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx2
import orjson

from tests.hostile.attacked_service import AttackedService
from tests.support.refusals import code_in

# Longer than any limit of the service.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone with these headers, who calls from this address of the machine."""

    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"


async def press(attacked: AttackedService, callers: Sequence[Caller], query: str, *, connections: int, seconds: float) -> Counter[str]:
    """All of them ask `query` on so many connections each, for so long; how often which code was the answer ("data" for data)."""
    ends = time.monotonic() + seconds
    codes: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            for _ in range(connections):
                group.create_task(_ask_until(ends, attacked.url, caller, query, codes))
    return codes


async def _ask_until(ends: float, url: str, caller: Caller, query: str, codes: Counter[str]) -> None:
    transport = httpx2.AsyncHTTPTransport(local_address=caller.address)
    async with httpx2.AsyncClient(base_url=url, headers=dict(caller.headers), transport=transport, timeout=PATIENCE) as http:
        while time.monotonic() < ends:
            answer = await http.post("/v1/graphql", json={"query": query})
            codes[_code(answer.content)] += 1


def _code(body: bytes) -> str:
    if not body.startswith(b'{"errors"'):
        return "data"
    return code_in(orjson.loads(body), "what many ask")
