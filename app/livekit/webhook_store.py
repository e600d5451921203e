"""Deliveries that arrive together are stored together: under a storm one commit takes many."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.webhooks.webhook_event import WebhookEvent
from resolvers.sql.database import DatabaseError

# One statement's worth.
MOST: Final = 200
# What PostgreSQL says of a value, and would say again: data exceptions, and what exceeds an index.
OF_THE_VALUE: Final = ("22", "54")

# Stores all or none; for each whether it is new.
StoreAll = Callable[[Sequence[WebhookEvent]], Awaitable[list[bool]]]


class Unstorable(Exception):
    """PostgreSQL will never keep this delivery."""


Outcomes = asyncio.Task[list[bool | Unstorable]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that wait until those before them are stored, and what becomes of each."""

    events: list[WebhookEvent]
    outcomes: Outcomes


class StoredTogether:
    """Stores a delivery and returns once that is committed: False for one seen before. Raises Unstorable, or DatabaseError for now."""

    def __init__(self, store_all: StoreAll) -> None:
        self._store_all = store_all
        self._open: Batch | None = None
        self._last: Outcomes | None = None

    async def __call__(self, event: WebhookEvent) -> bool:
        if self._open is None or len(self._open.events) >= MOST:
            self._open = self._begin()
        batch, place = self._open, len(self._open.events)
        batch.events.append(event)
        # A sender that hangs up takes nobody's delivery with it.
        outcome = (await asyncio.shield(batch.outcomes))[place]
        if isinstance(outcome, Unstorable):
            raise outcome
        return outcome

    def _begin(self) -> Batch:
        events: list[WebhookEvent] = []
        self._last = asyncio.create_task(self._store(events, self._last))
        return Batch(events, self._last)

    async def _store(self, events: list[WebhookEvent], before: Outcomes | None) -> list[bool | Unstorable]:
        if before is not None:
            await asyncio.wait([before])
        if self._open is not None and self._open.events is events:
            self._open = None
        try:
            return list(await self._store_all(events))
        except DatabaseError as error:
            if not error.sqlstate.startswith(OF_THE_VALUE):
                raise
        return [await self._store_alone(event) for event in events]

    async def _store_alone(self, event: WebhookEvent) -> bool | Unstorable:
        """One that can't be kept costs none of the others."""
        try:
            return (await self._store_all([event]))[0]
        except DatabaseError as error:
            if not error.sqlstate.startswith(OF_THE_VALUE):
                raise
            return Unstorable(error.sqlstate)
