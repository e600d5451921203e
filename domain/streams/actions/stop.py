"""stopStream and cancelStream."""

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import StreamNotLive
from domain.streams.access import StreamAccess, access_to_end
from domain.streams.actions.results import StoppedStream, StreamResult
from domain.streams.ending import begin_end, cancel, close_room_or_leave_it
from domain.streams.ingress.retiring import remove_or_leave_it
from domain.streams.rows import Stream
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_audiences import stream_tallies as tallies

RECORDED: Final = sa.text("""
    SELECT nchat_call_recordings_url(recording, CAST(:session AS json)) FROM nchat_call_recordings AS recording WHERE id = :id
""")

COUNTED: Final = sa.select(tallies.c.peak_viewers, tallies.c.total_views).where(tallies.c.stream_id == sa.bindparam("id"))


async def stop_stream(world: World, session: Session, stream_id: UUID) -> StoppedStream:
    """Ends a live stream, for its host, admin, and the hosts of the call that it shows, and answers at once: it is `ended` when all of it
    can be watched. Repeating it changes nothing. One that is starting is cancelled.

    Refuses with NotFound, Banned, NotAllowed, StreamNotLive (nobody started it).
    """
    async with world.transaction("stop_stream.write") as tx:
        access = await access_to_end(tx, world, session, stream_id)
        stream = access.stream
        if stream.status == "scheduled":
            raise StreamNotLive("The stream has not started.")
        if stream.status == "live":
            await begin_end(tx, stream, now=access.now)
        cancelled = stream.status == "starting" and await cancel(tx, stream, now=access.now, actor_id=access.user_id)
        stopped = await _stopped(tx, session, access)
    await remove_or_leave_it(world, stream_id)
    if cancelled:
        await close_room_or_leave_it(world, stream)
    return stopped


async def cancel_stream(world: World, session: Session, stream_id: UUID) -> StreamResult:
    """Nothing comes of a stream that is planned or starting, for the same people; repeating it changes nothing.

    Refuses with NotFound, Banned, NotAllowed, StreamNotLive (it is or was live).
    """
    async with world.transaction("cancel_stream.write") as tx:
        access = await access_to_end(tx, world, session, stream_id)
        stream = access.stream
        if stream.status not in ("scheduled", "starting", "cancelled"):
            raise StreamNotLive("The stream is or was live: stop it.")
        if stream.status != "cancelled":
            await cancel(tx, stream, now=access.now, actor_id=access.user_id)
    if stream.status == "starting":
        await remove_or_leave_it(world, stream_id)
        await close_room_or_leave_it(world, stream)
    return StreamResult(stream_id)


async def _stopped(tx: Transaction, session: Session, access: StreamAccess) -> StoppedStream:
    stream, url = access.stream, None
    if stream.recording_id is not None:
        url = await tx.connection.scalar(RECORDED, {"id": stream.recording_id, "session": session.as_argument()})
    # The stream's row follows its tallies within a second: whoever came just now is in these alone.
    counted = (await tx.connection.execute(COUNTED, {"id": stream.id})).first()
    peak, views = (stream.peak_viewers, stream.total_views) if counted is None else (counted.peak_viewers, counted.total_views)
    return StoppedStream(stream.id, _seconds(stream, access), peak, views, url)


def _seconds(stream: Stream, access: StreamAccess) -> int:
    if stream.started_at is None:
        return 0
    return max(int(((stream.ended_at or access.now) - stream.started_at).total_seconds()), 0)
