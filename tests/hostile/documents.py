"""Documents sent over a few connections at once, as fast as they are answered."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2
import orjson

from tests.hostile.attacked_service import AttackedService
from tests.support.refusals import code_in

CONNECTIONS = 6
# Whoever attacks does not mind to wait.
PATIENCE = 120.0


async def flood(attacked: AttackedService, bodies: Iterable[Any], headers: Mapping[str, str] | None = None) -> Counter[str]:
    """Sends them all; how often each code was answered, `data` for those without an error. A batch counts by its members."""
    waiting, answered = iter(bodies), Counter[str]()

    async def connection(http: httpx2.AsyncClient) -> None:
        for body in waiting:
            answer = await http.post("/v1/graphql", content=orjson.dumps(body), headers={"content-type": "application/json"})
            answers = orjson.loads(answer.content)
            answered.update(map(_code, answers if isinstance(answers, list) else [answers]))

    client = httpx2.AsyncClient(base_url=attacked.url, headers=dict(headers or {}), timeout=PATIENCE)
    async with client as http, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(connection(http))
    return answered


def _code(answer: Any) -> str:
    return "data" if "data" in answer else code_in(answer, "a document of the flood")
