"""Streams that run beside their rooms at LiveKit, and the rooms of those that are over."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.ports import LiveRoom, MediaError, RoomParticipant
from domain.short_waits import HeldByAnother, short_waits
from domain.side_by_side import Failures
from domain.streams.ending import CloseRoom
from domain.streams.opening import open_room
from domain.streams.presence import see
from domain.streams.rows import COLUMNS, OVER, RUNNING, Stream, lock_stream
from domain.streams.sources import sources_of
from domain.streams.viewers.entering import uninvited
from domain.streams.viewers.putting_out import put_out
from domain.world import World
from schema.tables.streams import streams

log = structlog.get_logger(__name__)
BATCH: Final = 1000


async def running_streams(world: World) -> Sequence[Stream]:
    """All that run in a room of their own. There are no more of them than the deployment allows."""
    mine = sa.select(*COLUMNS).where(streams.c.status.in_(RUNNING), streams.c.call_id.is_(None))
    async with world.transaction("reconcile.streams") as tx:
        return [Stream.of(row) for row in await tx.connection.execute(mine)]


async def compare_streams(world: World, failures: Failures, running: Sequence[Stream], rooms: Mapping[str, LiveRoom]) -> None:
    """Each gets its room back where that is gone, whoever sends is seen, and strangers are put out. Raises no MediaError."""
    await failures.side_by_side({f"stream {one.id}": _compare(world, one, rooms.get(one.room_name)) for one in running})


async def close_stream_rooms(world: World, failures: Failures, others: Collection[str], looked_at: datetime) -> None:
    """Deletes what LiveKit still has of streams that are over, then marks those whose rooms it has no more, as of calls."""
    over = (streams.c.status.in_(OVER), streams.c.call_id.is_(None))
    left = sa.select(streams.c.room_name).where(_among(others), *over)
    async with world.transaction("reconcile.stream_rooms") as tx:
        left_over = (await tx.connection.execute(left)).scalars().all()
    await failures.side_by_side({f"room {name}": _close(world, name) for name in left_over})
    unmarked = (streams.c.ended_at < looked_at, streams.c.room_closed_at.is_(None), *over)
    gone = sa.select(streams.c.id).where(*unmarked, sa.not_(_among(others))).order_by(streams.c.ended_at)
    some = gone.limit(BATCH).with_for_update(skip_locked=True, key_share=True).cte("some")
    marked = sa.update(streams).where(streams.c.id == some.c.id, streams.c.room_closed_at.is_(None))
    async with world.transaction("reconcile.stream_rooms_closed") as tx:
        await tx.connection.execute(marked.values(room_closed_at=world.clock.now()))


async def _compare(world: World, stream: Stream, room: LiveRoom | None) -> None:
    try:
        if stream.status != "ending" and (room is None or room.sid != stream.room_sid):
            await open_room(world, stream)
        people = [] if room is None else await world.rooms.list_participants(stream.room_name, ingresses=True)
        kept = await put_out(world, stream.room_name, await _seen(world, stream, people))
        if kept:
            raise next(iter(kept.values()))
    except MediaError as error:
        log.warning("stream_not_repaired", stream_id=str(stream.id), error=str(error))
    except HeldByAnother:
        log.info("stream_not_compared", stream_id=str(stream.id))


async def _seen(world: World, stream: Stream, people: list[RoomParticipant]) -> list[str]:
    """Whose place is not in the room. What was seen counts only where nothing was heard of the senders meanwhile."""
    now = world.clock.now()
    async with world.transaction("reconcile.stream") as tx, short_waits(tx):
        current = await lock_stream(tx, stream.id)
        sources = await sources_of(tx, current or stream)
        if current is not None and current.senders == stream.senders:
            await see(tx, current, sources.sending(people), now=now)
        strangers = await uninvited(tx, [one.identity for one in people if one.watches])
    return strangers + [one.identity for one in people if not one.watches and not sources.includes(one.identity)]


async def _close(world: World, name: str) -> None:
    try:
        await CloseRoom(name).carry_out(world)
    except MediaError as error:
        log.warning("room_not_deleted", room=name, error=str(error))


def _among(names: Collection[str]) -> sa.ColumnElement[bool]:
    return streams.c.room_name == sa.any_(sa.literal(list(names), pg.ARRAY(sa.Text)))
