"""Which recordings are joined now: each taken by one process for a while, kept while it works, let go when it failed or died."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.life_cycle import changed
from domain.recordings.rows import RecordingType
from domain.world import World

# Renewed with each word of progress.
TAKEN_FOR: Final = timedelta(seconds=60)
# Begun so often, whatever ended it: also one whose process dies each time comes to an end.
MOST_TRIES: Final = 5
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=10)
WANTED: Final = """
    recording.status = 'ready' AND recording.join_progress < 100 AND recording.file_reason IS NULL AND recording.delete_asked_at IS NULL
"""
TAKE: Final = sa.text(f"""
    WITH due AS (
        SELECT recording.id FROM nchat_call_recordings AS recording
        WHERE {WANTED} AND recording.next_work_at <= :now AND (recording.work_taken_until IS NULL OR recording.work_taken_until <= :now)
        ORDER BY recording.next_work_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recordings AS recording
    SET work_taken_until = :until, work_attempts = recording.work_attempts + 1, join_tries = recording.join_tries + 1
    FROM due WHERE recording.id = due.id
    RETURNING recording.id, recording.call_id, recording.type, recording.work_attempts AS attempt, recording.join_tries AS tries
""")  # noqa: S608 - the condition is a constant
# As long as the attempt is the one that was taken, nobody else has it.
MINE: Final = f"recording.id = :id AND recording.work_attempts = :attempt AND {WANTED}"
KEEP: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording SET work_taken_until = :until, join_progress = :progress
    WHERE {MINE} RETURNING recording.id
""")  # noqa: S608
DONE: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording
    SET work_taken_until = NULL, work_attempts = 0, join_tries = 0, join_progress = 100, file_path = :key, file_size = :size
    WHERE {MINE} RETURNING recording.id
""")  # noqa: S608
LET_GO: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording
    SET work_taken_until = NULL, next_work_at = :next, join_tries = recording.join_tries - :forgiven WHERE {MINE}
""")  # noqa: S608
# A file that is there already stays: what fails is a better one.
GIVE_UP: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording
    SET work_taken_until = NULL, work_attempts = 0, join_tries = 0, join_progress = NULL,
        file_reason = CASE WHEN recording.file_path IS NULL THEN :reason END
    WHERE {MINE}
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class JoinInHand:
    """A recording in the hands of one process. `attempt` tells this hand from earlier ones; `tries` count, this one among them."""

    id: UUID
    call_id: UUID | None
    type: RecordingType
    attempt: int
    tries: int

    @property
    def too_often(self) -> bool:
        """It was begun so often that nobody begins again."""
        return self.tries > MOST_TRIES


async def take(world: World) -> JoinInHand | None:
    """One that is due; nobody else gets it until it is let go or `TAKEN_FOR` is over."""
    now = world.clock.now()
    async with world.transaction("recording.take_join") as tx:
        row = (await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR})).first()
    return None if row is None else JoinInHand(row.id, row.call_id, row.type, row.attempt, row.tries)


async def keep(world: World, join: JoinInHand, progress: int) -> bool:
    """Tells how far it is, in percent; whether it is still this process's, and wanted."""
    return await _write(world, join, KEEP, progress=min(progress, 99), until=world.clock.now() + TAKEN_FOR)


async def done(world: World, join: JoinInHand, key: str, size: int) -> bool:
    """The recording has its file; False, with nothing written, when it is not this process's any more."""
    return await _write(world, join, DONE, key=key, size=size)


async def put_off(world: World, join: JoinInHand) -> None:
    """Later again, after a pause that grows with each time: the store is away, and comes back. It was no try."""
    await _let_go(world, join, forgiven=1)


async def failed(world: World, join: JoinInHand, reason: str) -> None:
    """The same, but it was a try, and after the last one there is no file, for this reason."""
    if join.tries >= MOST_TRIES:
        await give_up(world, join, reason)
    else:
        await _let_go(world, join, forgiven=0)


async def give_up(world: World, join: JoinInHand, reason: str) -> None:
    """There will be no file, for this reason."""
    await _write(world, join, GIVE_UP, reason=reason)


async def _let_go(world: World, join: JoinInHand, *, forgiven: int) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(join.attempt - 1, 10), LONGEST_PAUSE)
    await _write(world, join, LET_GO, next=world.clock.now() + pause, forgiven=forgiven)


async def _write(world: World, join: JoinInHand, statement: sa.TextClause, **values: int | str | datetime) -> bool:
    async with world.transaction("recording.join") as tx:
        written = await tx.connection.execute(statement, {"id": join.id, "attempt": join.attempt, **values})
        changed(tx, join.call_id)
        return written.rowcount > 0
