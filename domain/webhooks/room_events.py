"""What a room's beginning and end mean for its call."""

import sqlalchemy as sa

from domain.calls import events
from domain.calls.ending import end_for_all, note_closed
from domain.calls.repairs import OpenRoom, Repair
from domain.webhooks.call_webhook import CallWebhook
from schema.tables.calls import calls


async def started(webhook: CallWebhook) -> list[Repair]:
    """Comes at CreateRoom, before anybody joins: it tells the sid and nothing else."""
    if not webhook.call.ended and webhook.call.room_sid is None:
        mine = calls.c.id == webhook.call.id
        await webhook.tx.connection.execute(sa.update(calls).where(mine).values(room_sid=webhook.event.text("room", "sid")))
        events.changed(webhook.tx, webhook.call.id)
    return []


async def finished(webhook: CallWebhook) -> list[Repair]:
    """Closed by hand, or empty for longer than any reconnect may take.

    A conversation is then completed. A call that still gathers people goes on, and gets its room again.
    """
    call = webhook.call
    if call.status in ("connected", "reconnecting"):
        await end_for_all(webhook.tx, call, "completed", actor_id=None, now=webhook.now)
    if call.status in ("connected", "reconnecting", "ended"):
        await note_closed(webhook.tx, [call.room_name], webhook.now)
        return []
    if call.status in ("ringing", "connecting"):
        return [OpenRoom(call)]
    return []
