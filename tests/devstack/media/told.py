"""What livekit-server tells the world of an egress."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.livekit.serving import serving


@dataclass
class Told:
    """Webhooks of egress in the order they came: each its event's name and the record it carried. Those of encoders stand apart."""

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ingress: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator["Told"]:
        async with serving(Starlette(routes=[Route("/", self._receive, methods=["POST"])]), port):
            yield self

    def of(self, egress_id: str) -> list[tuple[str, str]]:
        """Event and status, one a webhook."""
        return [(event, info.get("status", "EGRESS_STARTING")) for event, info in self.events if info["egressId"] == egress_id]

    async def saw(self, egress_id: str, status: str, seconds: float = 30) -> dict[str, Any]:
        """Waits for this status; the record that came with it."""

        def find() -> dict[str, Any] | None:
            return next((info for _, info in self.events if info["egressId"] == egress_id and info.get("status") == status), None)

        await self._until(lambda: find() is not None, seconds)
        found = find()
        assert found is not None
        return found

    async def ended(self, egress_id: str, seconds: float = 30) -> dict[str, Any]:
        """Waits for egress_ended; its record."""
        await self._until(lambda: any(event == "egress_ended" for event, _ in self.of(egress_id)), seconds)
        return next(info for event, info in self.events if event == "egress_ended" and info["egressId"] == egress_id)

    async def heard(self, ingress_id: str, event: str, seconds: float = 30) -> dict[str, Any]:
        """Waits for this event of an encoder; its record."""

        def find() -> dict[str, Any] | None:
            return next((info for name, info in self.ingress if name == event and info["ingressId"] == ingress_id), None)

        await self._until(lambda: find() is not None, seconds)
        found = find()
        assert found is not None
        return found

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            told = [(event, info.get("status"), info.get("error")) for event, info in self.events]
            raise AssertionError(f"only these came: {told}") from None

    async def _receive(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if "egressInfo" in body:
            self.events.append((body["event"], body["egressInfo"]))
        if "ingressInfo" in body:
            self.ingress.append((body["event"], body["ingressInfo"]))
        async with self._changed:
            self._changed.notify_all()
        return Response()
