"""A push service as a deployment has one: it verifies, keeps what it took, and fails as the test wants it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.adapters.push_webhook import PushWebhook
from app.adapters.signed_webhook import SignedWebhook, open_http, signature
from app.database.transactions import EngineTransactions, open_engine
from domain.deliveries.pushes import AT_ONCE
from domain.ports import Clock
from domain.world import World
from tests.livekit.serving import serving
from tests.support.domain_setup import Setup

KEY = bytes(range(32))
Body = dict[str, Any]


class PushReceiver:
    """`answers` are the statuses that the next deliveries get before 204; while `held` is set, none is answered until it is opened."""

    def __init__(self) -> None:
        self.taken: list[Body] = []
        self.tries: list[tuple[str, bytes]] = []
        self.answers: list[int] = []
        self.held: asyncio.Event | None = None
        self.url = ""
        # Of each id, and of each person's call.
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["PushReceiver"]:
        async with serving(Starlette(routes=[Route("/push", self._receive, methods=["POST"])])) as address:
            self.url = f"{address}/push"
            yield self

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Returns when the condition holds; looked at when a delivery comes and when it is answered."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(condition)

    def kinds(self) -> list[str]:
        return [body["kind"] for body in self.taken]

    async def _receive(self, request: Request) -> Response:
        raw = await request.body()
        body, push_id = orjson.loads(raw), request.headers["webhook-id"]
        assert request.headers["webhook-signature"] == signature(KEY, push_id, request.headers["webhook-timestamp"], raw)
        assert body["id"] == push_id
        self.tries.append((push_id, raw))
        names = (push_id, f"{body['userId']} {body['collapseId']}")
        for name in names:
            self._at_once[name] += 1
            self.most_at_once[name] = max(self.most_at_once[name], self._at_once[name])
        await self._notify()
        try:
            return await self._answer(body)
        finally:
            self._at_once.subtract(names)

    async def _answer(self, body: Body) -> Response:
        if self.held is not None:
            await self.held.wait()
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.taken.append(body)
        await self._notify()
        return Response(status_code=status)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def delivering(on: Setup, url: str, clock: Clock | None = None) -> AsyncIterator[World]:
    """One process that delivers to this address, with connections of its own; by the test's clock unless another is given."""
    clock = clock or on.clock
    async with open_http(AT_ONCE) as http, open_engine(on.url) as engine:
        service = PushWebhook(SignedWebhook(url, KEY, http, clock))
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher), clock=clock, push_service=service)
