"""A stream as a value, read under its lock or without."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Row

from domain.world import Transaction
from schema.tables.calls import calls
from schema.tables.streams import streams

StreamStatus = Literal["scheduled", "starting", "live", "ending", "ended", "cancelled"]
Visibility = Literal["public", "channel_members", "invite_only"]
# Nothing comes after these.
OVER: Final[tuple[StreamStatus, ...]] = ("ended", "cancelled")
# LiveKit has, or is about to have, something of these.
RUNNING: Final[tuple[StreamStatus, ...]] = ("starting", "live", "ending")


@dataclass(frozen=True, slots=True)
class Stream:
    id: UUID
    channel_id: UUID
    host_id: UUID
    call_id: UUID | None
    room_name: str
    room_sid: str | None
    title: str
    visibility: Visibility
    status: StreamStatus
    status_since: datetime
    # LiveKit's ids of the connections that send, by identity.
    senders: Mapping[str, str]
    host_gone_since: datetime | None
    chat_enabled: bool
    reactions_enabled: bool
    slow_mode_seconds: int
    record_stream: bool
    viewer_count: int
    peak_viewers: int
    total_views: int
    total_reactions: int
    scheduled_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    room_closed_at: datetime | None
    recording_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Stream":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def live(self) -> bool:
        """Viewers may watch, chat and react."""
        return self.status == "live"

    @property
    def running(self) -> bool:
        return self.status in RUNNING

    @property
    def over(self) -> bool:
        return self.status in OVER


# What people wrote at length (`description`, `metadata`) is not read where nobody asks for it.
COLUMNS: Final = tuple(streams.c[name] for name in Stream.__slots__)
MINE: Final = sa.select(*COLUMNS).where(streams.c.id == sa.bindparam("stream"))
# No more than what keeps others from changing the row: whoever writes a message or a reaction refers to it, and need not wait.
LOCK_STREAM: Final = MINE.with_for_update(key_share=True)
# Which call a stream broadcasts is said when it is written, and never changes.
LOCK_CALL_OF: Final = (
    sa.select(calls.c.id)
    .where(calls.c.id == sa.select(streams.c.call_id).where(streams.c.id == sa.bindparam("stream")).scalar_subquery())
    .with_for_update()
)


async def lock_stream(tx: Transaction, stream_id: UUID) -> Stream | None:
    """The stream, locked until the commit; None when there is none. Its call, if it broadcasts one, is locked as well.

    The one lock order: the row of the call, then the stream's, then its recordings and their parts.
    """
    await tx.connection.execute(LOCK_CALL_OF, {"stream": stream_id})
    row = (await tx.connection.execute(LOCK_STREAM, {"stream": stream_id})).first()
    return None if row is None else Stream.of(row)


async def lock_free_streams(tx: Transaction, stream_ids: Collection[UUID]) -> list[Stream]:
    """Those of the streams that nobody holds, nor the calls that they broadcast, locked until the commit: no deadlock, however many."""
    of_calls = sa.select(streams.c.call_id).where(_among(stream_ids), streams.c.call_id.is_not(None))
    free = sa.select(calls.c.id).where(calls.c.id.in_(of_calls)).order_by(calls.c.id).with_for_update(skip_locked=True)
    mine = (await tx.connection.execute(free)).scalars().all()
    ours = sa.or_(streams.c.call_id.is_(None), streams.c.call_id == sa.any_(sa.literal(list(mine), pg.ARRAY(pg.UUID()))))
    found = sa.select(*COLUMNS).where(_among(stream_ids), ours).order_by(streams.c.id)
    return [Stream.of(row) for row in await tx.connection.execute(found.with_for_update(skip_locked=True, key_share=True))]


def _among(ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    return streams.c.id == sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID())))
