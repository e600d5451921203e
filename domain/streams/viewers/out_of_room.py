"""Who watched by WebRTC and watches no more is taken out of the stream's room: a token can't be revoked."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.side_by_side import Failures
from domain.streams.rows import OVER
from domain.streams.viewers.rows import identity, moment
from domain.world import World
from schema.tables.stream_viewers import stream_viewers as viewers
from schema.tables.streams import streams

# LiveKit is asked for so many at a time.
BATCH: Final = 40
_MAY_BE_INSIDE: Final = sa.and_(viewers.c.webrtc, viewers.c.left_at.is_not(None), viewers.c.out_of_room_at.is_(None))


@dataclass(frozen=True, slots=True)
class _Leaving:
    viewer_id: UUID
    room_name: str


async def take_out(world: World) -> None:
    """All whose session ended and who may still be in the room. What LiveKit does not confirm is tried again at the next call.

    Raises an ExceptionGroup of what failed, when all others are done.
    """
    await _close_with_their_rooms(world)
    leaving = await _leaving(world)
    failures = Failures(lambda _name, _error: None)
    asked = {str(one.viewer_id): world.rooms.remove_participant(one.room_name, identity(one.viewer_id)) for one in leaving}
    answers = await failures.side_by_side(asked)
    await _confirm(world, [one.viewer_id for one, answer in zip(leaving, answers, strict=True) if answer is not None])
    failures.tell()


async def _close_with_their_rooms(world: World) -> None:
    """The room of a stream that is over goes with all who are in it; that of a call stays."""
    closed = sa.and_(streams.c.call_id.is_(None), streams.c.status.in_(OVER), streams.c.room_closed_at.is_not(None))
    over = sa.update(viewers).where(streams.c.id == viewers.c.stream_id, _MAY_BE_INSIDE, closed)
    async with world.transaction("viewers.rooms_closed") as tx:
        await tx.connection.execute(over.values(out_of_room_at=moment(world.clock.now())))


async def _leaving(world: World) -> list[_Leaving]:
    gone = sa.select(viewers.c.id, streams.c.room_name).join(streams, streams.c.id == viewers.c.stream_id).where(_MAY_BE_INSIDE)
    async with world.transaction("viewers.leaving") as tx:
        return [_Leaving(row.id, row.room_name) for row in await tx.connection.execute(gone.order_by(viewers.c.left_at).limit(BATCH))]


async def _confirm(world: World, viewer_ids: list[UUID]) -> None:
    if not viewer_ids:
        return
    out = sa.update(viewers).where(viewers.c.id == sa.any_(sa.literal(viewer_ids, pg.ARRAY(pg.UUID()))))
    async with world.transaction("viewers.out_of_room") as tx:
        await tx.connection.execute(out.values(out_of_room_at=world.clock.now()))
