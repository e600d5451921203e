"""A stream as a value, read under its lock or without."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.world import Transaction
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


async def lock_stream(tx: Transaction, stream_id: UUID) -> Stream | None:
    """The stream, locked until the commit; None when there is none.

    The one lock order: the row of its call, if it broadcasts one, then the stream's, then its recordings and their parts.
    """
    row = (await tx.connection.execute(LOCK_STREAM, {"stream": stream_id})).first()
    return None if row is None else Stream.of(row)
