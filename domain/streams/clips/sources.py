"""What a clip may be cut from, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.errors import NotAllowed, NotFound, NotRecording
from domain.recordings.access import access_recording
from domain.recordings.playing.visible import Visible, VisiblePart, VisibleRecording
from domain.streams.access import access_stream
from domain.world import Transaction, World
from permissions.session import Session
from schema.model import TableName
from schema.tables.call_recordings import call_recordings

RECORDINGS: Final = TableName("public", call_recordings.name)
THERE: Final = sa.and_(call_recordings.c.status != "deleted", call_recordings.c.delete_asked_at.is_(None))
NOTHING: Final = "Nothing of the stream is recorded, or not any more."


@dataclass(frozen=True, slots=True)
class ClipSource:
    """A recording that this person may cut. `stream_id`: it is seen through the stream, as its viewers see it."""

    recording_id: UUID
    stream_id: UUID | None = None


async def clippable(tx: Transaction, world: World, session: Session, stream_id: UUID | None, recording_id: UUID | None) -> ClipSource:
    """The stream's own recording, for who hosts or moderates the stream; or the named one, for who owns it too.

    Refuses with NotFound, Banned, NotAllowed, and NotRecording where the stream has none.
    """
    if stream_id is not None:
        return await _of_stream(tx, world, session, stream_id)
    if recording_id is None:
        raise NotFound
    mine = sa.select(call_recordings.c.stream_id, call_recordings.c.started_by).where(
        call_recordings.c.id == recording_id, THERE, world.readable(session, RECORDINGS, call_recordings)
    )
    row = (await tx.connection.execute(mine)).first()
    if row is None:
        raise NotFound
    if row.stream_id is None:
        (await access_recording(tx, world, session, recording_id)).owning()
    elif row.started_by != session.user_id and not (await access_stream(tx, world, session, row.stream_id)).moderates:
        raise NotAllowed("Only who made the recording, and the stream's host and moderators, may do that.")
    return ClipSource(recording_id)


async def _of_stream(tx: Transaction, world: World, session: Session, stream_id: UUID) -> ClipSource:
    (await access_stream(tx, world, session, stream_id)).moderating()
    own = sa.select(call_recordings.c.id).where(call_recordings.c.stream_id == stream_id, call_recordings.c.clip_from.is_(None), THERE)
    found = (await tx.connection.execute(own)).scalar_one_or_none()
    if found is None:
        raise NotRecording(NOTHING)
    return ClipSource(found, stream_id)


async def played(world: World, session: Session, source: ClipSource) -> tuple[VisibleRecording, Sequence[VisiblePart]] | None:
    """What of it this person may watch now; None when that has changed."""
    visible = Visible(world)
    if source.stream_id is None:
        return await visible.playlist(session, source.recording_id)
    stream = await visible.stream(session, source.stream_id)
    return None if stream is None or stream.recording is None else (stream.recording, stream.parts)
