"""A viewing session as a value, and how one ends."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Row

from domain.ports import VIEWER
from domain.world import Transaction
from permissions.session import USER_ID, Session
from schema.tables.stream_viewers import stream_viewers as viewers

WATCHES: Final = viewers.c.left_at.is_(None)
# Hints on it say that somebody is to be out of a room.
LEAVING_TOPIC: Final = "stream_viewers:leaving"


@dataclass(frozen=True, slots=True)
class Viewer:
    """`user_id` is None for one without a name."""

    id: UUID
    stream_id: UUID
    user_id: UUID | None
    role: str
    joined_at: datetime
    left_at: datetime | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Viewer":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})


COLUMNS: Final = tuple(viewers.c[name] for name in Viewer.__slots__)


def hashed(session_id: str) -> str:
    """What is stored of a session's id, which nobody but its viewer ever has."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def identity(viewer_id: UUID) -> str:
    """Who the session is in the stream's room."""
    return f"{VIEWER}{viewer_id}"


def person_of(session: Session) -> UUID | None:
    """Whose session it is; None for whoever has no name: anonymous, or the admin secret alone."""
    return session.user_id if USER_ID in session.variables else None


def watched(until: sa.ColumnElement[datetime]) -> sa.ColumnElement[int]:
    """Whole seconds from the join to that moment."""
    seconds = sa.func.floor(sa.func.extract("epoch", until - viewers.c.joined_at))
    return sa.cast(sa.func.greatest(seconds, 0), sa.Integer)


def ended(at: sa.ColumnElement[datetime]) -> dict[str, Any]:
    """What a row says whose session ended at that moment; not before it began."""
    until = sa.func.greatest(at, viewers.c.joined_at)
    return {"left_at": until, "watch_duration": watched(until)}


def moment(at: datetime) -> sa.ColumnElement[datetime]:
    """As a parameter."""
    return sa.literal(at, pg.TIMESTAMP(timezone=True))


async def end(tx: Transaction, ids: Collection[UUID], at: sa.ColumnElement[datetime]) -> int:
    """Ends those of the sessions that have not ended; how many. Whoever ends several holds their rows, locked in the order of their ids."""
    mine = viewers.c.id == sa.any_(sa.literal(list(ids), pg.ARRAY(pg.UUID())))
    done = await tx.connection.execute(sa.update(viewers).where(mine, WATCHES).values(**ended(at)))
    return done.rowcount
