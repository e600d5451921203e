"""The second half of a stream's start: its room, with a place in it for the host."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.errors import MediaUnavailable
from domain.ports import MediaError
from domain.streams.ending import cancel, close_room
from domain.streams.life_cycle import set_stream
from domain.streams.rows import Stream, lock_stream
from domain.world import World

# Seconds that a stream's room stays without anybody: a host may take long to set the encoder up.
EMPTY_TIMEOUT: Final = 3600
# Whoever may watch may watch by WebRTC.
NO_LIMIT: Final = 0


@dataclass(frozen=True, slots=True)
class OpenStreamRoom:
    """Makes sure that a stream has its room, and notes the room's sid."""

    stream: Stream

    async def carry_out(self, world: World) -> None:
        await open_room(world, self.stream)


async def open_stream(world: World, stream: Stream) -> None:
    """A stream that starts gets its room, a broadcast has its call's. Safe to repeat and to run twice at once.

    A media server that fails cancels the stream and raises MediaUnavailable, unless the other one's room was made.
    """
    if stream.call_id is not None:
        return
    try:
        await open_room(world, stream)
    except MediaError as error:
        if await _fail(world, stream.id):
            raise MediaUnavailable from error


async def open_room(world: World, stream: Stream) -> None:
    """Get or create; one that was made for a stream that is over by now goes again. Raises MediaError."""
    room = await world.rooms.create_room(stream.room_name, max_participants=NO_LIMIT, empty_timeout=EMPTY_TIMEOUT)
    async with world.transaction("stream.room") as tx:
        current = await lock_stream(tx, stream.id)
        wanted = current is not None and not current.over
        if current is not None and wanted and current.room_sid != room.sid:
            await set_stream(tx, current, room_sid=room.sid)
    if not wanted:
        await close_room(world, stream.room_name)


async def _fail(world: World, stream_id: UUID) -> bool:
    """starting → cancelled; False when a request beside this one has got it further."""
    async with world.transaction("stream.not_opened") as tx:
        current = await lock_stream(tx, stream_id)
        if current is None or current.status != "starting":
            return current is None or current.over
        return current.room_sid is None and await cancel(tx, current, now=world.clock.now(), failure="media_unavailable")
