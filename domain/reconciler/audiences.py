"""Viewers in the rooms of calls: who watches no more is put out, also where no webhook told of a return on an old token.

LiveKit does not count viewers, so that no number tells which rooms to look into: it is all of those calls that are or were shown to others.
"""

from collections.abc import Collection

import sqlalchemy as sa
import structlog

from domain.calls.life_cycle import LIVING
from domain.ports import MediaError
from domain.side_by_side import Failures
from domain.streams.viewers.entering import uninvited
from domain.streams.viewers.putting_out import put_out
from domain.world import World
from schema.tables.calls import calls
from schema.tables.streams import streams

log = structlog.get_logger(__name__)


async def shown_rooms(world: World) -> frozenset[str]:
    """The rooms of living calls that are or were shown."""
    shown = sa.select(calls.c.room_name).where(calls.c.status.in_(LIVING), sa.exists().where(streams.c.call_id == calls.c.id))
    async with world.transaction("reconcile.shown") as tx:
        return frozenset((await tx.connection.execute(shown)).scalars())


async def put_out_viewers(world: World, failures: Failures, rooms: Collection[str]) -> None:
    """Whoever is in one of these rooms as a viewer without a session that may. Raises no MediaError."""
    await failures.side_by_side({f"audience of {name}": _look(world, name) for name in rooms})


async def _look(world: World, room: str) -> None:
    try:
        viewers = [one.identity for one in await world.rooms.list_participants(room) if one.watches]
        async with world.transaction("reconcile.audience") as tx:
            strangers = await uninvited(tx, viewers)
        kept = await put_out(world, room, strangers)
        if kept:
            raise next(iter(kept.values()))
    except MediaError as error:
        log.warning("room_not_repaired", error=str(error))
