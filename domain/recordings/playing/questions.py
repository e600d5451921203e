"""Statements that tell what a person may see of recordings and streams, each made once a role: making one takes longer than asking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import sqlalchemy as sa

from domain.world import Readable
from permissions.compiling.readable import RoleCondition
from permissions.session import Session
from schema.model import TableName
from schema.tables.call_recording_parts import call_recording_parts as parts
from schema.tables.call_recordings import call_recordings as recordings
from schema.tables.stream_dash import stream_dash
from schema.tables.streams import streams

RECORDINGS: Final = TableName("public", recordings.name)
STREAMS: Final = TableName("public", streams.name)
# What is being removed is gone for everybody.
THERE: Final = sa.and_(recordings.c.status != "deleted", recordings.c.delete_asked_at.is_(None))
OF_RECORDING: Final = [
    recordings.c.id,
    recordings.c.status,
    recordings.c.title,
    recordings.c.started_at,
    recordings.c.duration,
    recordings.c.file_path,
    recordings.c.thumbnail_path,
    recordings.c.storage_bucket,
]
OF_PART: Final = [
    parts.c.id,
    parts.c.recording_id,
    parts.c.index,
    parts.c.status,
    sa.or_(parts.c.closed_at.is_not(None), parts.c.status == "ready").label("closed"),
    parts.c.path_prefix,
    parts.c.segments,
    parts.c.segment_seconds,
    parts.c.duration,
    parts.c.file_path,
    recordings.c.storage_bucket.label("bucket"),
    parts.c.on_cdn,
    parts.c.late_prefix,
    parts.c.late_from,
    parts.c.moved_to,
]
OF_STREAM: Final = [streams.c.id, streams.c.status, streams.c.title, streams.c.visibility]
# Those that a playlist is made of.
_PLAYS: Final = sa.and_(
    parts.c.recording_id == recordings.c.id,
    parts.c.kind == "composite",
    parts.c.path_prefix.is_not(None),
    parts.c.status != "failed",
    parts.c.status != "deleted",
)
# A stream's own recording, beside which its clips are recordings of the same stream.
_OF_IT: Final = sa.and_(recordings.c.stream_id == streams.c.id, recordings.c.clip_from.is_(None), THERE)

QuestionName = Literal["recording", "playlist", "part", "prefix", "stream", "stream_prefix", "dash"]
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A statement for everybody of a role; all its parameters are texts, `variables` of the rule the session's."""

    statement: sa.Select[Any]
    rule: RoleCondition


class Ask(Protocol):
    async def __call__(self, session: Session, question: Question, values: Mapping[str, str], /) -> Rows:
        """The rows of the answer, values in the order of the statement's columns, in the name of whoever asks."""
        ...


def question(readable: Readable, role: str, name: QuestionName) -> Question:
    """The question of this name for a role."""
    if name == "part":
        return _of_part(readable, role)
    return _of_stream(readable, role, name) if name in ("stream", "stream_prefix", "dash") else _of_recording(readable, role, name)


def _of_part(readable: Readable, role: str) -> Question:
    rule = readable.of_role(role, TableName("public", parts.name), parts)
    mine = sa.select(*OF_PART).select_from(parts.join(recordings, parts.c.recording_id == recordings.c.id))
    return Question(mine.where(parts.c.id == _given("asked", sa.Uuid()), parts.c.status != "deleted", THERE, rule.condition), rule)


def _of_recording(readable: Readable, role: str, name: QuestionName) -> Question:
    rule = readable.of_role(role, RECORDINGS, recordings)
    statements: dict[QuestionName, sa.Select[Any]] = {
        "recording": sa.select(*OF_RECORDING),
        "playlist": sa.select(*OF_RECORDING, *OF_PART).select_from(recordings.outerjoin(parts, _PLAYS)).order_by(parts.c.index),
        "prefix": _prefixes(recordings.join(parts, _PLAYS)),
    }
    return Question(statements[name].where(recordings.c.id == _given("asked", sa.Uuid()), THERE, rule.condition), rule)


def _of_stream(readable: Readable, role: str, name: QuestionName) -> Question:
    """By the right to see the stream: its recording may be seen through nothing else."""
    rule = readable.of_role(role, STREAMS, streams)
    found = streams.outerjoin(recordings, _OF_IT)
    if name == "stream":
        asked = sa.select(*OF_STREAM, *OF_RECORDING, *OF_PART).select_from(found.outerjoin(parts, _PLAYS)).order_by(parts.c.index)
    elif name == "dash":
        made = found.join(stream_dash, sa.and_(stream_dash.c.stream_id == streams.c.id, stream_dash.c.recording_id == recordings.c.id))
        asked = (
            sa.select(stream_dash.c.path_prefix, recordings.c.storage_bucket)
            .select_from(made)
            .where(stream_dash.c.path_prefix.is_not(None))
        )
    else:
        asked = _prefixes(found.join(parts, _PLAYS))
    return Question(asked.where(streams.c.id == _given("asked", sa.Uuid()), streams.c.status != "cancelled", rule.condition), rule)


def _prefixes(found: sa.FromClause) -> sa.Select[Any]:
    """Where the objects of one part lie, and in which bucket."""
    where = (parts.c.path_prefix, parts.c.late_prefix, parts.c.late_from, parts.c.moved_to)
    mine = sa.select(*where, recordings.c.storage_bucket).select_from(found)
    return mine.where(parts.c.index == _given("index", sa.Integer()))


def _given(name: str, type_: Any) -> sa.ColumnElement[Any]:
    return sa.cast(sa.cast(sa.bindparam(name, type_=sa.Text()), sa.Text()), type_)
