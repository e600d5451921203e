"""The deployment's own backend: it verifies what it is told, keeps what it took, and fails as the test wants it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.adapters.event_webhook import EventWebhook
from app.adapters.signed_webhook import SignedWebhook, open_http, signature
from app.database.transactions import EngineTransactions, open_engine
from domain.world import World
from tests.livekit.serving import serving
from tests.support.domain_setup import Setup

KEY = bytes(range(32))


class CardReceiver:
    """`answers` are the statuses that the next deliveries get before 204."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.tries: list[tuple[str, bytes]] = []
        self.taken: list[dict[str, Any]] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with serving(Starlette(routes=[Route("/events", self._receive, methods=["POST"])])) as address:
            yield f"{address}/events"

    async def _receive(self, request: Request) -> Response:
        raw, headers = await request.body(), request.headers
        assert headers["webhook-signature"] == signature(KEY, headers["webhook-id"], headers["webhook-timestamp"], raw)
        self.tries.append((headers["webhook-id"], raw))
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            self.taken.append(orjson.loads(raw))
        return Response(status_code=status)


@asynccontextmanager
async def telling(on: Setup, url: str) -> AsyncIterator[World]:
    """One process that delivers to this address, with connections of its own."""
    async with open_http(10) as http, open_engine(on.url) as engine:
        receiver = EventWebhook(SignedWebhook(url, KEY, http, on.clock))
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher), event_receiver=receiver)
