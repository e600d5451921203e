"""Which clips are copied now: each taken by one process for a while, kept while it works, let go when it failed or died."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.recordings.clips.plans import Places
from domain.recordings.life_cycle import changed
from domain.recordings.part_keys import PartKeys
from domain.world import World

# Renewed with each word of progress.
TAKEN_FOR: Final = timedelta(seconds=60)
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(seconds=60)
# A store that is away at all of them, a quarter of an hour's, makes no clip any more, nor a process that dies each time. Time in which
# nobody tried is no try.
MOST_TRIES: Final = 20
# Also what is to be removed by now: it has to end before that.
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT recording.id FROM nchat_call_recordings AS recording
        WHERE recording.status = 'processing' AND recording.clip_progress IS NOT NULL AND recording.next_work_at <= :now
            AND (recording.work_taken_until IS NULL OR recording.work_taken_until <= :now)
        ORDER BY recording.next_work_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recordings AS recording SET work_taken_until = :until, work_attempts = recording.work_attempts + 1
    FROM due WHERE recording.id = due.id
    RETURNING recording.id, recording.call_id, CAST(recording.metadata AS text) AS notes, recording.storage_bucket AS bucket,
        recording.work_attempts AS attempt, recording.delete_asked_at IS NOT NULL AS unwanted
""")
# As long as the attempt is the one that was taken, nobody else has it.
KEEP: Final = sa.text("""
    UPDATE nchat_call_recordings AS recording SET work_taken_until = :until, clip_progress = :progress
    WHERE recording.id = :id AND recording.work_attempts = :attempt AND recording.status = 'processing'
        AND recording.delete_asked_at IS NULL
    RETURNING recording.id
""")
LET_GO: Final = sa.text("""
    UPDATE nchat_call_recordings AS recording SET work_taken_until = NULL, next_work_at = :next
    WHERE recording.id = :id AND recording.work_attempts = :attempt AND recording.status = 'processing'
""")
PLACES: Final = sa.text("""
    SELECT id, path_prefix, late_prefix, late_from, moved_to FROM nchat_call_recording_parts
    WHERE id = ANY(:ids) AND path_prefix IS NOT NULL
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))


@dataclass(frozen=True, slots=True)
class ClipInHand:
    """A clip in the hands of one process. `attempt` tells this hand from earlier ones; `unwanted`: somebody asked for its removal.

    `notes` is the JSON that has its plan.
    """

    id: UUID
    call_id: UUID | None
    notes: str | None
    bucket: str | None
    attempt: int
    unwanted: bool

    @property
    def last_try(self) -> bool:
        """If this one fails there is no other."""
        return self.attempt >= MOST_TRIES

    @property
    def too_often(self) -> bool:
        """It was begun so often that nobody begins again."""
        return self.attempt > MOST_TRIES


async def take(world: World) -> ClipInHand | None:
    """One that is due; nobody else gets it until it is let go or `TAKEN_FOR` is over."""
    now = world.clock.now()
    async with world.transaction("clip.take") as tx:
        row = (await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR})).first()
    if row is None:
        return None
    return ClipInHand(row.id, row.call_id, row.notes, row.bucket, row.attempt, row.unwanted)


async def keep(world: World, clip: ClipInHand, progress: int) -> bool:
    """Tells how far it is, in percent; whether it is still this process's, and wanted."""
    asked = {"until": world.clock.now() + TAKEN_FOR, "progress": min(progress, 99)}
    return await _write(world, clip, KEEP, **asked)


async def places(world: World, part_ids: Collection[UUID]) -> Places:
    """Where the objects of these parts lie at this moment."""
    async with world.transaction("clip.places") as tx:
        found = await tx.connection.execute(PLACES, {"ids": list(part_ids)})
        return {id: PartKeys(*keys) for id, *keys in found}


async def put_off(world: World, clip: ClipInHand) -> None:
    """Later again, after a pause that grows with each time: the store is away, and comes back."""
    pause = min(FIRST_PAUSE * 2 ** min(clip.attempt - 1, 10), LONGEST_PAUSE)
    await _write(world, clip, LET_GO, next=world.clock.now() + pause)


async def _write(world: World, clip: ClipInHand, statement: sa.TextClause, **values: Any) -> bool:
    async with world.transaction("clip.note") as tx:
        written = await tx.connection.execute(statement, {"id": clip.id, "attempt": clip.attempt, **values})
        changed(tx, clip.call_id)
        return written.rowcount > 0
