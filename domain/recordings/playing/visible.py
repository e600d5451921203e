"""What a person may see of a recording at this moment: asked anew whenever a link is followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.rows import PartStatus, RecordingStatus
from domain.world import World
from permissions.compiling.readable import RoleCondition
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
    """`seconds` is the length of its media, None while it is not known; `bucket` where it lies, None in that of the settings."""

    id: UUID
    status: RecordingStatus
    title: str | None
    started_at: datetime | None
    seconds: float | None
    file_path: str | None
    thumbnail_path: str | None
    bucket: str | None

    @property
    def final(self) -> bool:
        """Nothing more is added to it."""
        return self.status in ("ready", "failed")


@dataclass(frozen=True, slots=True)
class VisiblePart:
    """`closed`: its recorder adds nothing any more. `segments` are those that storage was seen to have."""

    id: UUID
    recording_id: UUID
    index: int
    status: PartStatus
    closed: bool
    path_prefix: str | None
    segments: int
    seconds: float | None
    file_path: str | None
    bucket: str | None


_OF_RECORDING: Final = [
    recordings.c.id,
    recordings.c.status,
    recordings.c.title,
    recordings.c.started_at,
    recordings.c.duration,
    recordings.c.file_path,
    recordings.c.thumbnail_path,
    recordings.c.storage_bucket,
]
_OF_PART: Final = [
    parts.c.id,
    parts.c.recording_id,
    parts.c.index,
    parts.c.status,
    sa.or_(parts.c.closed_at.is_not(None), parts.c.status == "ready").label("closed"),
    parts.c.path_prefix,
    parts.c.segments,
    parts.c.duration,
    parts.c.file_path,
    recordings.c.storage_bucket.label("bucket"),
]
# Those that a playlist is made of.
_PLAYS: Final = sa.and_(
    parts.c.recording_id == recordings.c.id,
    parts.c.kind == "composite",
    parts.c.path_prefix.is_not(None),
    parts.c.status != "failed",
    parts.c.status != "deleted",
)


QuestionName = Literal["recording", "playlist", "part", "prefix"]
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A statement that is made once a role; all its parameters are texts, `variables` of them the session's."""

    statement: sa.Select[Any]
    rule: RoleCondition


class Ask(Protocol):
    async def __call__(self, session: Session, question: Question, values: Mapping[str, str], /) -> Rows:
        """The rows of the answer, values in the order of the statement's columns, in the name of whoever asks."""
        ...


class Visible:
    """Asks for rows by the rules of whoever follows a link. Building a statement takes longer than asking it."""

    def __init__(self, world: World, ask: Ask | None = None) -> None:
        """`ask` is by default a transaction of the domain's."""
        self._world, self._ask = world, ask or _in_transaction(world)
        self._questions: dict[tuple[str, QuestionName], Question] = {}

    async def recording(self, session: Session, recording_id: UUID) -> VisibleRecording | None:
        """The recording; None when there is none for this person."""
        found = await self._rows(session, "recording", recording_id)
        return VisibleRecording(*found[0]) if found else None

    async def playlist(self, session: Session, recording_id: UUID) -> tuple[VisibleRecording, Sequence[VisiblePart]] | None:
        """The recording with the parts that follow each other in its playlist; None when there is none for this person."""
        found = await self._rows(session, "playlist", recording_id)
        if not found:
            return None
        many = len(_OF_RECORDING)
        return VisibleRecording(*found[0][:many]), [VisiblePart(*row[many:]) for row in found if row[many] is not None]

    async def part(self, session: Session, part_id: UUID) -> VisiblePart | None:
        """One part; None when there is none for this person."""
        found = await self._rows(session, "part", part_id)
        return VisiblePart(*found[0]) if found else None

    async def prefix(self, session: Session, recording_id: UUID, index: int) -> tuple[str, str | None] | None:
        """What the keys of a playlist's part begin with, and in which bucket; None when there is none for this person."""
        found = await self._rows(session, "prefix", recording_id, index=str(index))
        return (found[0][0], found[0][1]) if found else None

    async def _rows(self, session: Session, name: QuestionName, id: UUID, **more: str) -> Rows:
        question = self._questions.get((session.role, name))
        if question is None:
            question = self._questions[session.role, name] = _question(self._world, session.role, name)
        return await self._ask(session, question, {"asked": str(id), **question.rule.values(session), **more})


def _question(world: World, role: str, name: QuestionName) -> Question:
    if name == "part":
        rule = world.readable.of_role(role, PARTS, parts)
        mine = sa.select(*_OF_PART).select_from(parts.join(recordings, parts.c.recording_id == recordings.c.id))
        return Question(mine.where(parts.c.id == _given("asked", sa.Uuid()), parts.c.status != "deleted", THERE, rule.condition), rule)
    rule = world.readable.of_role(role, RECORDINGS, recordings)
    statements: dict[QuestionName, sa.Select[Any]] = {
        "recording": sa.select(*_OF_RECORDING),
        "playlist": sa.select(*_OF_RECORDING, *_OF_PART).select_from(recordings.outerjoin(parts, _PLAYS)).order_by(parts.c.index),
        "prefix": sa.select(parts.c.path_prefix, recordings.c.storage_bucket)
        .select_from(recordings.join(parts, _PLAYS))
        .where(parts.c.index == _given("index", sa.Integer())),
    }
    return Question(statements[name].where(recordings.c.id == _given("asked", sa.Uuid()), THERE, rule.condition), rule)


def _given(name: str, type_: Any) -> sa.ColumnElement[Any]:
    return sa.cast(sa.cast(sa.bindparam(name, type_=sa.Text()), sa.Text()), type_)


def _in_transaction(world: World) -> Ask:
    async def ask(_session: Session, question: Question, values: Mapping[str, str]) -> Rows:
        async with world.transaction("media.look") as tx:
            return [tuple(row) for row in await tx.connection.execute(question.statement, values)]

    return ask
