"""Webhooks as LiveKit sends them: signed, in order per room, retried, lost after half a minute."""

import asyncio
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Final

import aiohttp
from google.protobuf import json_format
from livekit import api

from devstack.livekit_simulator import ids
from devstack.livekit_simulator.clock import SimulatorClock

WAITS: Final = (1.0, 2.0, 4.0, 8.0)
MAX_AGE: Final = 30.0
MAX_DEPTH: Final = 200
RETRIED_4XX: Final = frozenset({429})
NOT_RETRIED_5XX: Final = frozenset({501})


@dataclass(slots=True)
class DeliveryFaults:
    """What goes wrong on the way, by event name: `drop` loses, `duplicate` sends twice, `hold` keeps back until `release`."""

    drop: set[str] = field(default_factory=set)
    duplicate: set[str] = field(default_factory=set)
    hold: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Queue:
    """What waits for one key, oldest first, with the time it was noted; `task` sends it."""

    waiting: deque[tuple[float, api.WebhookEvent]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class WebhookSender:
    """Posts events to one address. One queue a key (the room's name): strictly one after the other within it."""

    def __init__(self, url: str | None, api_key: str, api_secret: str, clock: SimulatorClock) -> None:
        self.faults = DeliveryFaults()
        self.delivered: list[api.WebhookEvent] = []
        self.lost: list[api.WebhookEvent] = []
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret
        self._clock = clock
        self._queues: dict[str, Queue] = {}
        self._held: list[tuple[str, api.WebhookEvent]] = []
        self._session: aiohttp.ClientSession | None = None

    def notify(self, key: str, event: api.WebhookEvent) -> None:
        """Notes an event for delivery; needs a running loop. Its id stays the same through all retries."""
        event.id = ids.make("EV_")
        if event.event in self.faults.drop:
            self.lost.append(event)
        elif event.event in self.faults.hold:
            self._held.append((key, event))
        else:
            for _ in range(2 if event.event in self.faults.duplicate else 1):
                self._enqueue(key, event)

    def release(self) -> None:
        """Sends what was held back, after everything that was noted since."""
        held, self._held = self._held, []
        self.faults.hold.clear()
        for key, event in held:
            self._enqueue(key, event)

    async def close(self) -> None:
        """Stops sending; what waits is lost, as in a crash."""
        tasks = [queue.task for queue in self._queues.values() if queue.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session:
            await self._session.close()

    def _enqueue(self, key: str, event: api.WebhookEvent) -> None:
        if not self._url:
            return
        queue = self._queues.setdefault(key, Queue())
        if len(queue.waiting) >= MAX_DEPTH:
            self.lost.append(event)
            return
        queue.waiting.append((self._clock.now(), event))
        if queue.task is None:
            queue.task = asyncio.get_running_loop().create_task(self._drain(key, queue, self._url))

    async def _drain(self, key: str, queue: Queue, url: str) -> None:
        while queue.waiting:
            noted_at, event = queue.waiting.popleft()
            too_old = self._clock.now() - noted_at > MAX_AGE
            arrived = not too_old and await self._deliver(url, event)
            (self.delivered if arrived else self.lost).append(event)
        del self._queues[key]

    async def _deliver(self, url: str, event: api.WebhookEvent) -> bool:
        event.created_at = int(self._clock.now())
        body = json_format.MessageToJson(event, indent=None).encode()
        if await self._post(url, body):
            return True
        for wait in WAITS:
            await self._clock.sleep(wait)
            if await self._post(url, body):
                return True
        return False

    async def _post(self, url: str, body: bytes) -> bool:
        """Whether LiveKit would take the answer for delivered; most 4xx count as that."""
        self._session = self._session or aiohttp.ClientSession()
        headers = {"Authorization": self._signature(body), "Content-Type": "application/webhook+json"}
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                retried = response.status in RETRIED_4XX or (response.status >= 500 and response.status not in NOT_RETRIED_5XX)
                return not retried
        except (aiohttp.ClientError, OSError):
            return False

    def _signature(self, body: bytes) -> str:
        digest = b64encode(sha256(body).digest()).decode()
        return api.AccessToken(self._api_key, self._api_secret).with_ttl(timedelta(minutes=5)).with_sha256(digest).to_jwt()
