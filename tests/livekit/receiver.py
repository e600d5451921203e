"""Our webhook endpoint on a port, keeping what arrives in memory: the raw bodies and the events as they would be stored."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.livekit.webhook_endpoint import PATH, LiveKitWebhooks
from app.livekit.webhook_signature import WebhookSignatures
from domain.webhooks.webhook_event import WebhookEvent
from tests.livekit.serving import serving

Body = dict[str, Any]


class Receiver:
    """`events` and `bodies` are in order of arrival, each id once; `answers` are the statuses that the next deliveries get first."""

    def __init__(self, keys: dict[str, str]) -> None:
        self.events: list[WebhookEvent] = []
        self.bodies: list[Body] = []
        self.attempts: list[str] = []
        self.answers: list[int] = []
        self.url = ""
        self._changed = asyncio.Condition()
        self._endpoint = LiveKitWebhooks(WebhookSignatures(keys), self._store, wake=lambda: None)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator["Receiver"]:
        """Receives while the block runs."""
        async with serving(Starlette(routes=[Route(PATH, self._receive, methods=["POST"])]), port) as address:
            self.url = address + PATH
            yield self

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Returns when the condition holds; looked at after each delivery. AssertionError with what came when it never does."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"only these came: {[event.event for event in self.events]}") from None

    def of_room(self, name: str) -> list[WebhookEvent]:
        """The events of one room."""
        return [event for event in self.events if event.payload["room"]["name"] == name]  # type: ignore[index]

    async def saw(self, room: str, event: str, identity: str | None = None, times: int = 1) -> None:
        """Waits until this event came so many times."""
        await self.until(lambda: self.count(room, event, identity) >= times)

    def count(self, room: str, event: str, identity: str | None = None) -> int:
        """How often this event came, for this person or anybody."""
        found = [kept for kept in self.of_room(room) if kept.event == event]
        return sum(identity is None or kept.payload["participant"]["identity"] == identity for kept in found)  # type: ignore[index]

    async def _receive(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.attempts.append(body["id"])
        if self.answers:
            await self._notify()
            return Response(status_code=self.answers.pop(0))
        known = len(self.events)
        response = await self._endpoint.receive(request)
        if len(self.events) > known:
            self.bodies.append(body)
        await self._notify()
        return response

    async def _store(self, event: WebhookEvent) -> bool:
        if any(kept.id == event.id for kept in self.events):
            return False
        self.events.append(event)
        return True

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
