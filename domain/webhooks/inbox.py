"""The webhook inbox: stored first, answered 200, then processed in order per room, again after a crash."""

import json
from typing import Final

import sqlalchemy as sa

from domain.webhooks.event import WebhookEvent, allowed
from domain.world import World

__all__ = ["WebhookEvent", "store"]

STORE: Final = sa.text("""
    INSERT INTO nchat_webhook_events (id, event, payload) VALUES (:id, :event, CAST(:payload AS jsonb))
    ON CONFLICT (id) DO NOTHING
""")


async def store(world: World, event: WebhookEvent) -> bool:
    """Keeps one delivery; False when this id was seen before. Commit means it will be processed, whatever crashes after."""
    async with world.transaction("webhook.store") as transaction:
        payload = json.dumps(allowed(event.payload))
        result = await transaction.connection.execute(STORE, {"id": event.id, "event": event.event, "payload": payload})
        return result.rowcount == 1
