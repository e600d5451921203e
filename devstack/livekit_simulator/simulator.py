"""The simulator as one value: its rooms, its clock, its webhooks, and the switches that make it fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from devstack.livekit_simulator.auth import InvalidToken, Keys
from devstack.livekit_simulator.clock import SimulatorClock, WallClock
from devstack.livekit_simulator.participants import SimulatedParticipant
from devstack.livekit_simulator.rooms import JoinRefused, RoomDefaults, SimulatedRooms
from devstack.livekit_simulator.webhooks import WebhookSender

TICK: Final = 1.0


@dataclass(slots=True)
class CallFaults:
    """What goes wrong with API calls: `latency` seconds before each, and a bare HTTP status by method (`*` for all)."""

    latency: float = 0.0
    status: dict[str, int] = field(default_factory=dict)


class Simulator:
    """A livekit-server without media. `join` stands in for a client's signalling connection."""

    def __init__(
        self,
        *,
        api_key: str,
        api_secret: str,
        webhook_url: str | None,
        clock: SimulatorClock | None = None,
        defaults: RoomDefaults | None = None,
    ) -> None:
        self.clock = clock or WallClock()
        self.keys = Keys({api_key: api_secret})
        self.webhooks = WebhookSender(webhook_url, api_key, api_secret, self.clock)
        self.rooms = SimulatedRooms(defaults or RoomDefaults(), self.clock, self.webhooks)
        self.faults = CallFaults()

    def join(self, token: str, *, active: bool = True) -> SimulatedParticipant:
        """Joins with a token as a client would, up to the media connection unless `active` is False. Raises JoinRefused."""
        try:
            claims = self.keys.claims(token)
        except InvalidToken as error:
            raise JoinRefused(401, str(error)) from None
        participant = self.rooms.join(claims, token)
        if active:
            participant.become_active()
        return participant

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Simulator"]:
        """Its timers run while the block does."""
        ticking = asyncio.create_task(self._tick())
        try:
            yield self
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            await self.webhooks.close()

    async def _tick(self) -> None:
        while True:
            await self.clock.sleep(TICK)
            self.rooms.tick()
