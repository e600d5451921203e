"""What a room's beginning and end mean for its call."""

import sqlalchemy as sa

from domain.calls.ending import end_call
from domain.repairs import OpenRoom, Repair
from domain.webhooks.scene import Scene
from schema.tables.calls import calls


async def started(scene: Scene) -> list[Repair]:
    """Comes at CreateRoom, before anybody joins: it tells the sid and nothing else."""
    if not scene.call.ended:
        unknown = (calls.c.id == scene.call.id) & calls.c.room_sid.is_(None)
        await scene.tx.connection.execute(sa.update(calls).where(unknown).values(room_sid=scene.event.text("room", "sid")))
    return []


async def finished(scene: Scene) -> list[Repair]:
    """Closed by hand, or empty for longer than any reconnect may take.

    A conversation is then completed. A call that still gathers people goes on, and gets its room again.
    """
    call = scene.call
    if call.status in ("connected", "reconnecting"):
        await end_call(scene.tx, call, "completed", actor_id=None, now=scene.now)
        return []
    if call.status in ("ringing", "connecting"):
        return [OpenRoom(call)]
    return []
