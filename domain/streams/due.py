"""What of a stream is due: it follows from its recording, its call, its host and the time, and is one question to the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from domain.calls.repairs import Repair
from domain.recordings.rows import ACTIVE
from domain.streams.ending import Failure, begin_end, cancel, closing, finish
from domain.streams.life_cycle import move_stream
from domain.streams.rows import Stream
from domain.world import Transaction
from schema.tables.call_participants import call_participants
from schema.tables.call_recordings import call_recordings
from schema.tables.calls import calls
from schema.tables.streams import streams

BEGINS_WITHIN: Final = timedelta(seconds=300)
HOST_BACK_WITHIN: Final = timedelta(seconds=60)
# The recording goes on being gathered; the stream waits no longer for it.
ENDS_WITHIN: Final = timedelta(seconds=60)
STARTS_WITHIN: Final = timedelta(hours=24)
# What a stream does next: a failure ends it.
Step = Literal["live", "ended"] | Failure

_STATUS: Final = streams.c.status
_RECORDED: Final = sa.func.coalesce(call_recordings.c.status.in_(ACTIVE), sa.false())
_MEDIA: Final = sa.and_(call_recordings.c.status == "recording", call_recordings.c.media_started_at.is_not(None))

# Whoever began the broadcast was removed from its call for good: it goes where that person said, also to platforms of theirs.
_STARTER_KICKED: Final = sa.exists().where(
    call_participants.c.call_id == streams.c.call_id,
    call_participants.c.user_id == call_recordings.c.started_by,
    call_participants.c.status == "kicked",
)


def _step(now: datetime) -> sa.ColumnElement[Any]:
    """The next step of a stream that runs; null where it goes on as it is. Segments in the store are what makes it live."""
    since = streams.c.status_since
    running = _STATUS.in_(("starting", "live"))
    return sa.case(
        (sa.and_(running, calls.c.status == "ended"), "call_ended"),
        (sa.and_(running, _STARTER_KICKED), "host_kicked"),
        (sa.and_(_STATUS == "starting", _MEDIA), "live"),
        (sa.and_(_STATUS == "starting", ~_RECORDED), "not_recorded"),
        (sa.and_(_STATUS == "starting", since <= now - BEGINS_WITHIN), "never_began"),
        (sa.and_(_STATUS == "live", ~_RECORDED), "media_lost"),
        (sa.and_(_STATUS == "live", streams.c.host_gone_since <= now - HOST_BACK_WITHIN), "host_gone"),
        (sa.and_(_STATUS == "ending", sa.func.coalesce(call_recordings.c.status.in_(("ready", "failed", "deleted")), sa.true())), "ended"),
        (sa.and_(_STATUS == "ending", since <= now - ENDS_WITHIN), "ended"),
    )


def running_due(now: datetime) -> sa.Select[UUID]:
    """Streams that run and have a step to take, the longest waiting first."""
    return _running(sa.select(streams.c.id)).where(_step(now).is_not(None)).order_by(streams.c.status_since)


def planned_due(now: datetime) -> sa.Select[UUID]:
    """Streams that nobody started in a day."""
    planned = sa.func.coalesce(streams.c.scheduled_at, streams.c.created_at)
    return sa.select(streams.c.id).where(_STATUS == "scheduled", planned <= now - STARTS_WITHIN).order_by(planned)


async def take_step(tx: Transaction, stream: Stream, *, now: datetime) -> Sequence[Repair] | None:
    """Takes the step of a locked stream that is due; None when there is none. What LiveKit has to be asked for."""
    step: Step | None = await tx.connection.scalar(_running(sa.select(_step(now))).where(streams.c.id == stream.id))
    if step == "live":
        # Whoever sent the first picture may be gone by now.
        gone = now if stream.call_id is None and not stream.senders else None
        return [] if await move_stream(tx, stream, "live", now=now, started_at=now, host_gone_since=gone) else None
    if step == "ended":
        return closing(stream) if await finish(tx, stream, now=now) else None
    return None if step is None else await _fail(tx, stream, step, now)


async def _fail(tx: Transaction, stream: Stream, failure: Failure, now: datetime) -> Sequence[Repair] | None:
    if stream.status == "starting":
        return closing(stream) if await cancel(tx, stream, now=now, failure=failure) else None
    return [] if await begin_end(tx, stream, now=now, failure=failure) else None


def _running(asked: sa.Select[Any]) -> sa.Select[Any]:
    joined = asked.select_from(streams).outerjoin(calls, calls.c.id == streams.c.call_id)
    with_media = joined.outerjoin(call_recordings, call_recordings.c.id == streams.c.recording_id)
    return with_media.where(_STATUS.in_(("starting", "live", "ending")))
