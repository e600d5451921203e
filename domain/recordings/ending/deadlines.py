"""What ends by itself: recordings of what is over, pauses that last too long, recordings that do, and what never begins."""

from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.each import each
from domain.recordings.held import hold
from domain.recordings.settling import BEGINS_WITHIN, StopReason, stop
from domain.short_waits import short_waits
from domain.world import World

LOOK: Final = 200
LONGEST_PAUSE: Final = timedelta(minutes=60)
# Nobody publishes a track that is to be recorded: then no part says that its time is over.
# A stream waits longer for its host, and has no part until then.
# Of a running part the media that its last segment has; what came before is written down.
DUE: Final = sa.text("""
    SELECT recording.id, CASE
        WHEN call.status = 'ended' OR stream.status NOT IN ('starting', 'live') THEN 'call_ended'
        WHEN recording.status = 'paused' AND recording.status_since <= :paused_before THEN 'pause_too_long'
        WHEN recording.status = 'starting' THEN 'lost'
        ELSE 'too_long' END AS reason
    FROM nchat_call_recordings AS recording LEFT JOIN nchat_calls AS call ON call.id = recording.call_id
        LEFT JOIN nchat_streams AS stream ON stream.id = recording.stream_id
    WHERE recording.status IN ('starting', 'recording', 'paused') AND (CAST(:only AS uuid) IS NULL OR recording.id = :only) AND (
        call.status = 'ended' OR stream.status NOT IN ('starting', 'live')
        OR (recording.status = 'paused' AND recording.status_since <= :paused_before)
        OR (recording.status = 'starting' AND recording.consent_asked_at IS NULL AND recording.status_since <= :asked_before
            AND (stream.id IS NULL OR EXISTS (SELECT FROM nchat_call_recording_parts AS part WHERE part.recording_id = recording.id))
            AND NOT EXISTS (
                SELECT FROM nchat_call_recording_parts AS part
                WHERE part.recording_id = recording.id AND part.status IN ('starting', 'recording')
            ))
        OR (recording.status = 'recording' AND recording.started_at <= :began_before AND (
            SELECT max(lane.seconds) FROM (
                SELECT sum(extract(epoch FROM coalesce(part.ended_at, :now) - part.media_started_at)) AS seconds
                FROM nchat_call_recording_parts AS part
                WHERE part.recording_id = recording.id AND part.media_started_at IS NOT NULL
                GROUP BY part.user_id, part.track_kind
            ) AS lane
        ) >= :longest)
    )
    ORDER BY recording.status_since LIMIT :look
""")


async def end_due(world: World) -> int:
    """Stops what is due, each decided again under its lock; returns how many."""
    async with world.transaction("recording.due") as tx:
        due = [row.id for row in await tx.connection.execute(DUE, _asked(world, None))]
    return sum(await each("deadline", due, partial(_end, world)))


async def _end(world: World, recording_id: UUID) -> bool:
    async with world.transaction("recording.overdue") as tx, short_waits(tx):
        held = await hold(tx, recording_id)
        due = (await tx.connection.execute(DUE, _asked(world, recording_id))).first()
        if held is None or due is None:
            return False
        reason: StopReason = due.reason
        await stop(tx, held.recording, reason, now=world.clock.now())
        return True


def _asked(world: World, only: UUID | None) -> dict[str, object]:
    now, longest = world.clock.now(), timedelta(seconds=world.limits.max_recording)
    return {
        "only": only,
        "now": now,
        "paused_before": now - LONGEST_PAUSE,
        "asked_before": now - BEGINS_WITHIN,
        "began_before": now - longest,
        "longest": longest.total_seconds(),
        "look": LOOK,
    }
