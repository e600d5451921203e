"""Every event of the call as a websocket subscriber sees it: printed, kept, and checked for order and gaps."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from devstack.demo.service import DemoService

EVENTS = """subscription Events($callId: uuid!) {
  callEvents(callId: $callId, after: 0) { seq kind actor { displayName } participantId payload createdAt }
}"""


class Feed:
    """Follows one call from its first event until `stop`."""

    def __init__(self, service: DemoService, token: str, call_id: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._follow(service, token, call_id))

    async def _follow(self, service: DemoService, token: str, call_id: str) -> None:
        async with service.subscribe(token, EVENTS, callId=call_id) as subscription:
            async for data in subscription:
                await self._take(data["callEvents"])

    async def _take(self, event: dict[str, Any]) -> None:
        if event["seq"] != len(self.events) + 1:
            raise AssertionError(f"event {event['seq']} came where {len(self.events) + 1} was due")
        actor = (event["actor"] or {}).get("displayName") or "-"
        payload = " ".join(f"{key}={json.dumps(value)}" for key, value in event["payload"].items())
        print(f"    {event['seq']:>3}  {event['kind']:<27} {actor:<12} {payload}".rstrip(), flush=True)
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    async def until(self, kind: str, where: Callable[[dict[str, Any]], bool] = lambda _: True, *, since: int = 0) -> dict[str, Any]:
        """The first event of this kind after `since` that fits, waiting for it; raises what broke the subscription."""
        waiting = asyncio.create_task(self._find(kind, where, since))
        done, _ = await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            waiting.cancel()
            self._task.result()
            raise AssertionError("the subscription ended")
        return waiting.result()

    async def _find(self, kind: str, where: Callable[[dict[str, Any]], bool], since: int) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [e for e in self.events if e["seq"] > since and e["kind"] == kind and where(e)]

        async with self._changed:
            await self._changed.wait_for(lambda: bool(found()))
            return found()[0]

    @property
    def last(self) -> int:
        return len(self.events)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
