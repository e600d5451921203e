"""The room of an ended call: closed once LiveKit says so, with a mark that lasts until then."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import MediaError
from domain.world import Transaction, World
from schema.tables.calls import calls

log = structlog.get_logger(__name__)


async def close_room(world: World, room_name: str) -> None:
    """Deletes the room; its call, when it has ended, is marked then. Raises MediaError, and the reconciler finds it without the mark."""
    await world.rooms.delete_room(room_name)
    async with world.transaction("room.closed") as tx:
        await note_closed(tx, [room_name], world.clock.now())


async def close_room_or_leave_it(world: World, room_name: str) -> None:
    """The same where nobody can wait: a media server that does not answer leaves it to the reconciler."""
    try:
        await close_room(world, room_name)
    except MediaError as error:
        log.warning("room_not_deleted", room=room_name, error=str(error))


async def note_closed(tx: Transaction, room_names: Sequence[str], now: datetime) -> None:
    """LiveKit confirmed that these rooms are gone: the calls among theirs that have ended need no more looking after."""
    named = calls.c.room_name == sa.any_(sa.literal(list(room_names), pg.ARRAY(sa.Text)))
    over = (calls.c.status == "ended", calls.c.room_closed_at.is_(None))
    await tx.connection.execute(sa.update(calls).where(named, *over).values(room_closed_at=now))
