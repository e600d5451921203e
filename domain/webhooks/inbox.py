"""The webhook inbox: what LiveKit sent is stored first and answered 200; it is worked out afterwards (`processing.py`)."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.webhooks.processing import process_pending
from domain.webhooks.webhook_event import WebhookEvent, allowed
from domain.world import World

__all__ = ["WebhookEvent", "oldest_age", "process_pending", "purge", "store", "store_all"]

KEPT: Final = timedelta(days=7)

# By id, so that two processes that store the same deliveries wait for each other in one direction only. received_at is PostgreSQL's own
# clock, which orders the deliveries that several processes took; those of one statement keep the order in which they came.
# All are due at once by whatever clock: who stores may not be who works it out.
STORE: Final = sa.text("""
    WITH delivery AS (
        SELECT * FROM unnest(:ids, :events, :payloads) WITH ORDINALITY AS delivery (id, event, payload, place)
    ), here AS MATERIALIZED (SELECT clock_timestamp() AS now)
    INSERT INTO nchat_webhook_events (id, event, payload, received_at, next_attempt_at)
    SELECT id, event, CAST(payload AS jsonb), here.now + place * interval '1 microsecond', '-infinity' FROM delivery, here ORDER BY id
    ON CONFLICT (id) DO NOTHING RETURNING id
""").bindparams(*(sa.bindparam(name, type_=pg.ARRAY(sa.Text)) for name in ("ids", "events", "payloads")))
PURGE: Final = sa.text("DELETE FROM nchat_webhook_events WHERE received_at < :before")
OLDEST: Final = sa.text("""
    SELECT extract(epoch FROM clock_timestamp() - received_at)::double precision FROM nchat_webhook_events
    WHERE processed_at IS NULL ORDER BY received_at, id LIMIT 1
""")


async def store(world: World, event: WebhookEvent) -> bool:
    """Keeps one delivery; False when this id was seen before. Commit means it will be processed, whatever crashes after."""
    return (await store_all(world, [event]))[0]


async def store_all(world: World, events: Sequence[WebhookEvent]) -> list[bool]:
    """Keeps deliveries together, all or none; for each whether it is new. Raises what PostgreSQL says of one that it can't keep."""
    each: dict[str, WebhookEvent] = {}
    for event in events:
        each.setdefault(event.id, event)
    row = {
        "ids": list(each),
        "events": [event.event for event in each.values()],
        "payloads": [json.dumps(allowed(event.payload)) for event in each.values()],
    }
    async with world.transaction("webhook.store") as tx:
        new = set((await tx.connection.execute(STORE, row)).scalars())
    return [_first(event.id, new) for event in events]


def _first(event_id: str, new: set[str]) -> bool:
    """Of doubles that came together, the first is the new one."""
    found = event_id in new
    new.discard(event_id)
    return found


async def purge(world: World) -> int:
    """Forgets what was received more than 7 days ago; returns how many."""
    async with world.transaction("webhook.purge") as tx:
        return (await tx.connection.execute(PURGE, {"before": world.clock.now() - KEPT})).rowcount


async def oldest_age(world: World) -> float:
    """For how many seconds the oldest event waits that is not worked out; 0 when none does."""
    async with world.transaction("webhook.age") as tx:
        age: float | None = (await tx.connection.execute(OLDEST)).scalar_one_or_none()
    return max(age or 0.0, 0.0)
