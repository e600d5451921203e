"""What a person may see of a recording, or of a stream, at this moment: asked anew whenever a link is followed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from domain.recordings.part_keys import PartKeys
from domain.recordings.playing.questions import OF_RECORDING, OF_STREAM, Ask, Question, QuestionName, Rows, question
from domain.recordings.rows import PartStatus, RecordingStatus
from domain.world import World
from permissions.session import Session


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
    """`closed`: its recorder adds nothing any more. `segments` are those that storage was seen to have, each asked to be of
    `segment_seconds`.

    `on_cdn`: everybody might watch when it began.
    """

    id: UUID
    recording_id: UUID
    index: int
    status: PartStatus
    closed: bool
    path_prefix: str | None
    segments: int
    segment_seconds: int
    seconds: float | None
    file_path: str | None
    bucket: str | None
    on_cdn: bool
    late_prefix: str | None
    late_from: int | None
    moved_to: int | None

    @property
    def keys(self) -> PartKeys | None:
        """Where its objects lie; None for what is older than parts."""
        return None if self.path_prefix is None else PartKeys(self.path_prefix, self.late_prefix, self.late_from, self.moved_to)

    @property
    def all_on_cdn(self) -> bool:
        """Every one of its segments may be fetched from there."""
        return self.on_cdn and self.late_prefix is None


@dataclass(frozen=True, slots=True)
class VisibleStream:
    """A stream with what there is to play of it: None and nothing before its first part, and when its recording was removed."""

    id: UUID
    status: Literal["scheduled", "starting", "live", "ending", "ended"]
    title: str
    visibility: Literal["public", "channel_members", "invite_only"]
    recording: VisibleRecording | None
    parts: Sequence[VisiblePart]

    @property
    def public(self) -> bool:
        return self.visibility == "public"

    @property
    def plays(self) -> bool:
        """Storage was seen to have some of it."""
        return any(part.segments for part in self.parts)


class Visible:
    """Asks for rows by the rules of whoever follows a link."""

    def __init__(self, world: World, ask: Ask | None = None) -> None:
        """`ask` is by default a transaction of the domain's."""
        self._world, self._ask = world, ask or _in_transaction(world)
        self._question = lru_cache(maxsize=64)(question)

    async def recording(self, session: Session, recording_id: UUID) -> VisibleRecording | None:
        """The recording; None when there is none for this person."""
        found = await self._rows(session, "recording", recording_id)
        return VisibleRecording(*found[0]) if found else None

    async def playlist(self, session: Session, recording_id: UUID) -> tuple[VisibleRecording, Sequence[VisiblePart]] | None:
        """The recording with the parts that follow each other in its playlist; None when there is none for this person."""
        found = await self._rows(session, "playlist", recording_id)
        if not found:
            return None
        many = len(OF_RECORDING)
        return VisibleRecording(*found[0][:many]), [VisiblePart(*row[many:]) for row in found if row[many] is not None]

    async def stream(self, session: Session, stream_id: UUID) -> VisibleStream | None:
        """The stream with its recording and the parts that follow each other in its playlist; None when there is none for this person."""
        found = await self._rows(session, "stream", stream_id)
        if not found:
            return None
        begin, end = len(OF_STREAM), len(OF_STREAM) + len(OF_RECORDING)
        id, status, title, visibility = found[0][:begin]
        recording = found[0][begin:end]
        parts = [VisiblePart(*row[end:]) for row in found if row[end] is not None]
        seen = None if recording[0] is None else VisibleRecording(*recording)
        return VisibleStream(id, status, title, visibility, seen, parts)

    async def part(self, session: Session, part_id: UUID) -> VisiblePart | None:
        """One part; None when there is none for this person."""
        found = await self._rows(session, "part", part_id)
        return VisiblePart(*found[0]) if found else None

    async def prefix(self, session: Session, recording_id: UUID, index: int) -> tuple[PartKeys, str | None] | None:
        """Where the objects of a playlist's part lie, and in which bucket; None when there is none for this person."""
        return _place(await self._rows(session, "prefix", recording_id, index=str(index)))

    async def stream_prefix(self, session: Session, stream_id: UUID, index: int) -> tuple[PartKeys, str | None] | None:
        """The same of a stream's playlist."""
        return _place(await self._rows(session, "stream_prefix", stream_id, index=str(index)))

    async def dash(self, session: Session, stream_id: UUID) -> tuple[str, str | None] | None:
        """What the keys of the stream as DASH begin with, and in which bucket; None where there is none for this person."""
        found = await self._rows(session, "dash", stream_id)
        return (found[0][0], found[0][1]) if found else None

    async def _rows(self, session: Session, name: QuestionName, id: UUID, **more: str) -> Rows:
        asked = self._question(self._world.readable, session.role, name)
        return await self._ask(session, asked, {"asked": str(id), **asked.rule.values(session), **more})


def _place(rows: Rows) -> tuple[PartKeys, str | None] | None:
    return (PartKeys(*rows[0][:4]), rows[0][4]) if rows else None


def _in_transaction(world: World) -> Ask:
    async def ask(_session: Session, asked: Question, values: Mapping[str, str]) -> Rows:
        async with world.transaction("media.look") as tx:
            return [tuple(row) for row in await tx.connection.execute(asked.statement, values)]

    return ask
