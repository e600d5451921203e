"""The end of a stream: its media ends and is gathered, then its room goes, with a mark when LiveKit confirmed it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg

from domain.calls import events
from domain.ports import MediaError
from domain.streams.ingress.retiring import retire
from domain.streams.life_cycle import move_stream
from domain.streams.media import end_media
from domain.streams.rows import OVER, Stream
from domain.world import Transaction, World
from schema.tables.streams import streams

log = structlog.get_logger(__name__)
# Why a stream came to nothing, or to an end that its host did not ask for; it stands in `metadata.failure`.
Failure = Literal[
    "never_started", "media_unavailable", "never_began", "not_recorded", "media_lost", "host_gone", "host_kicked", "call_ended"
]
STOPPED: Final = "stopped"


async def cancel(tx: Transaction, stream: Stream, *, now: datetime, failure: Failure | None = None, actor_id: UUID | None = None) -> bool:
    """A locked stream that was planned or starting comes to nothing; False when another was faster. Its room is the caller's to close.

    One that never had a room of its own has none to close.
    """
    had_room = stream.status == "starting" and stream.call_id is None
    values = _noted(failure) | {"ended_at": now, "room_closed_at": None if had_room else now}
    if not await move_stream(tx, stream, "cancelled", now=now, **values):
        return False
    await end_media(tx, stream, now=now)
    await retire(tx, [stream.id], now)
    if stream.status == "starting":
        await _tell_call(tx, stream, failure, actor_id)
    return True


async def begin_end(tx: Transaction, stream: Stream, *, now: datetime, failure: Failure | None = None) -> bool:
    """live → ending: whoever watches hears of it, and the recorder is asked to end. False when another was faster."""
    if not await move_stream(tx, stream, "ending", now=now, host_gone_since=None, **_noted(failure)):
        return False
    await end_media(tx, stream, now=now)
    await retire(tx, [stream.id], now)
    return True


async def finish(tx: Transaction, stream: Stream, *, now: datetime) -> bool:
    """ending → ended: the whole can be watched, or was waited for long enough. Its room is the caller's to close."""
    if not await move_stream(tx, stream, "ended", now=now, ended_at=now, room_closed_at=None if stream.call_id is None else now):
        return False
    failure = await tx.connection.scalar(sa.select(streams.c.metadata["failure"].astext).where(streams.c.id == stream.id))
    await _tell_call(tx, stream, failure, None)
    return True


@dataclass(frozen=True, slots=True)
class CloseRoom:
    """Deletes the room of a stream that is over."""

    room: str

    async def carry_out(self, world: World) -> None:
        await close_room(world, self.room)


def closing(stream: Stream) -> list[CloseRoom]:
    """What LiveKit has to be asked for when the stream is over: a call's room stays."""
    return [] if stream.call_id is not None else [CloseRoom(stream.room_name)]


async def close_room(world: World, room_name: str) -> None:
    """Deletes the room; its stream, when it is over, is marked then. Raises MediaError, and the reconciler finds it without the mark."""
    await world.rooms.delete_room(room_name)
    async with world.transaction("stream.closed") as tx:
        await note_closed(tx, [room_name], world.clock.now())


async def close_room_or_leave_it(world: World, stream: Stream) -> None:
    """The same where nobody can wait: a media server that does not answer leaves it to the reconciler."""
    for closed in closing(stream):
        try:
            await closed.carry_out(world)
        except MediaError as error:
            log.warning("room_not_deleted", room=closed.room, error=str(error))


async def note_closed(tx: Transaction, room_names: Collection[str], now: datetime) -> None:
    """LiveKit confirmed that these rooms are gone: the streams of theirs that are over need no more looking after."""
    named = streams.c.room_name == sa.any_(sa.literal(list(room_names), pg.ARRAY(sa.Text)))
    over = (streams.c.status.in_(OVER), streams.c.room_closed_at.is_(None), streams.c.call_id.is_(None))
    await tx.connection.execute(sa.update(streams).where(named, *over).values(room_closed_at=now))


def _noted(failure: Failure | None) -> dict[str, object]:
    if failure is None:
        return {}
    notes = sa.func.coalesce(streams.c.metadata, sa.text("'{}'::jsonb"))
    return {"metadata": notes.op("||")(sa.func.jsonb_build_object("failure", failure))}


async def _tell_call(tx: Transaction, stream: Stream, reason: str | None, actor_id: UUID | None) -> None:
    if stream.call_id is not None:
        told = {"streamId": str(stream.id), "reason": reason or STOPPED}
        await events.append(tx, stream.call_id, "stream_ended", actor_id, told)
