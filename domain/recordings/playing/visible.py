"""What a person may see of a recording at this moment: asked anew whenever a link is followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.recordings.rows import PartStatus, RecordingStatus
from domain.world import World
from permissions.session import Session
from schema.model import TableName
from schema.tables.call_recording_parts import call_recording_parts as parts
from schema.tables.call_recordings import call_recordings as recordings

RECORDINGS: Final = TableName("public", recordings.name)
PARTS: Final = TableName("public", parts.name)
# What is being removed is gone for everybody.
THERE: Final = sa.and_(recordings.c.status != "deleted", recordings.c.delete_asked_at.is_(None))


@dataclass(frozen=True, slots=True)
class VisibleRecording:
    """`seconds` is the length of its media, None while it is not known."""

    id: UUID
    status: RecordingStatus
    title: str | None
    started_at: datetime | None
    seconds: float | None
    file_path: str | None
    thumbnail_path: str | None

    @property
    def final(self) -> bool:
        """Nothing more is added to it."""
        return self.status in ("ready", "failed")


@dataclass(frozen=True, slots=True)
class VisiblePart:
    """`closed`: its recorder adds nothing any more. `segments` are those that storage was seen to have."""

    id: UUID
    index: int
    status: PartStatus
    closed: bool
    path_prefix: str | None
    segments: int
    seconds: float | None
    file_path: str | None


_OF_RECORDING: Final = [
    recordings.c.id,
    recordings.c.status,
    recordings.c.title,
    recordings.c.started_at,
    recordings.c.duration,
    recordings.c.file_path,
    recordings.c.thumbnail_path,
]
_OF_PART: Final = [
    parts.c.id,
    parts.c.index,
    parts.c.status,
    sa.or_(parts.c.closed_at.is_not(None), parts.c.status == "ready").label("closed"),
    parts.c.path_prefix,
    parts.c.segments,
    parts.c.duration,
    parts.c.file_path,
]
# Those that a playlist is made of.
_PLAYS: Final = sa.and_(
    parts.c.recording_id == recordings.c.id,
    parts.c.kind == "composite",
    parts.c.path_prefix.is_not(None),
    parts.c.status.not_in(("failed", "deleted")),
)


async def visible_recording(world: World, session: Session, recording_id: UUID) -> VisibleRecording | None:
    """The recording; None when there is none for this person."""
    found = await _rows(world, sa.select(*_OF_RECORDING).where(*_seen(world, session, recording_id)))
    return _recording(found[0]) if found else None


async def visible_playlist(world: World, session: Session, recording_id: UUID) -> tuple[VisibleRecording, Sequence[VisiblePart]] | None:
    """The recording with the parts that follow each other in its playlist; None when there is none for this person."""
    both = sa.select(*_OF_RECORDING, *_OF_PART).select_from(recordings.outerjoin(parts, _PLAYS))
    found = await _rows(world, both.where(*_seen(world, session, recording_id)).order_by(parts.c.index))
    if not found:
        return None
    many = len(_OF_RECORDING)
    return _recording(found[0]), [VisiblePart(*row[many:]) for row in found if row[many] is not None]


async def visible_part(world: World, session: Session, part_id: UUID, *, of: UUID | None = None) -> VisiblePart | None:
    """One part, `of` this recording where one is named; None when there is none for this person."""
    mine = sa.select(*_OF_PART).select_from(parts.join(recordings, parts.c.recording_id == recordings.c.id))
    asked = [parts.c.id == part_id, parts.c.status != "deleted", THERE, world.readable(session, PARTS, parts)]
    found = await _rows(world, mine.where(*asked, *([] if of is None else [recordings.c.id == of])))
    return VisiblePart(*tuple(found[0])) if found else None


async def visible_prefix(world: World, session: Session, recording_id: UUID, index: int) -> str | None:
    """What the keys of a playlist's part begin with; None when there is none for this person."""
    mine = sa.select(parts.c.path_prefix).select_from(recordings.join(parts, _PLAYS)).where(parts.c.index == index)
    found = await _rows(world, mine.where(*_seen(world, session, recording_id)))
    return found[0][0] if found else None


def _recording(row: Row[Any]) -> VisibleRecording:
    return VisibleRecording(*tuple(row)[: len(_OF_RECORDING)])


def _seen(world: World, session: Session, recording_id: UUID) -> Sequence[sa.ColumnElement[bool]]:
    return [recordings.c.id == recording_id, THERE, world.readable(session, RECORDINGS, recordings)]


async def _rows(world: World, statement: sa.Select[Any]) -> Sequence[Row[Any]]:
    async with world.transaction("media.look") as tx:
        found: Sequence[Row[Any]] = (await tx.connection.execute(statement)).all()
        return found
