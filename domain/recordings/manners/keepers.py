"""A recording needs a host in the room: where none is connected for a while, it stops.

Since when is written down with the recording, by whoever looks: roles change hands meanwhile, and no row of a person can tell.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.calls.rows import Call, Roster
from domain.recordings.rows import ACTIVE, lock_active
from domain.recordings.settling import stop
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.call_recordings import call_recordings
from schema.tables.calls import calls

HOSTLESS_FOR: Final = timedelta(seconds=30)
HOSTS: Final = ("host", "co_host")
# The key in the recording's notes.
SINCE: Final = "hostless_since"
_since: Final = call_recordings.c.metadata[SINCE].astext


def due(now: datetime) -> sa.Select[UUID]:
    """Calls whose recording has just lost its last host, has one again, or has had none for too long."""
    hosted = sa.exists().where(
        call_participants.c.call_id == calls.c.id, call_participants.c.role.in_(HOSTS), call_participants.c.status == "connected"
    )
    too_long = sa.cast(_since, pg.TIMESTAMP(timezone=True)) <= now - HOSTLESS_FOR
    return (
        sa.select(calls.c.id)
        .join(call_recordings, call_recordings.c.call_id == calls.c.id)
        .where(calls.c.status != "ended", call_recordings.c.status.in_(ACTIVE))
        .where(sa.or_(hosted == _since.is_not(None), too_long))
        .order_by(call_recordings.c.status_since)
    )


async def keep_or_stop(tx: Transaction, call: Call, people: Roster, *, now: datetime) -> bool:
    """Notes that the recording of a locked call has no host, or has one again, or stops it (`no_host`); whether anything changed."""
    recording = await lock_active(tx, call.id)
    if recording is None:
        return False
    if any(one.role in HOSTS and one.status == "connected" for one in people.participants):
        return await _note(tx, recording.id, None)
    since = await tx.connection.scalar(sa.select(_since).where(call_recordings.c.id == recording.id))
    if since is None:
        return await _note(tx, recording.id, now)
    if datetime.fromisoformat(since) > now - HOSTLESS_FOR:
        return False
    await stop(tx, recording, "no_host", now=now)
    return True


async def _note(tx: Transaction, recording_id: UUID, since: datetime | None) -> bool:
    notes, key = call_recordings.c.metadata, sa.cast(sa.literal(SINCE), sa.Text)
    fresh = notes.op("-")(key) if since is None else notes.op("||")(sa.func.jsonb_build_object(key, since.isoformat()))
    mine = sa.update(call_recordings).where(call_recordings.c.id == recording_id)
    written = mine.where(_since.is_not(None) if since is None else _since.is_(None)).values(metadata=fresh)
    return (await tx.connection.execute(written.returning(call_recordings.c.id))).first() is not None
