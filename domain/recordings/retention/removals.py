"""Which recordings are removed now: each taken by one process for a while, kept while it works, let go when it failed or died."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.life_cycle import changed
from domain.world import World

# Renewed with each page of objects, which takes no longer than the store may take for two requests.
TAKEN_FOR: Final = timedelta(seconds=90)
FIRST_PAUSE: Final = 2.0
LONGEST_PAUSE: Final = 600.0
# A part that is not final may still get objects.
REMOVABLE: Final = """
    recording.delete_asked_at IS NOT NULL AND recording.status IN ('ready', 'failed') AND NOT recording.legal_hold AND NOT EXISTS (
        SELECT FROM nchat_call_recording_parts AS part
        WHERE part.recording_id = recording.id AND part.status IN ('starting', 'recording', 'processing'))
"""
TAKE: Final = sa.text(f"""
    WITH due AS (
        SELECT recording.id FROM nchat_call_recordings AS recording
        WHERE {REMOVABLE} AND recording.next_work_at <= :now
            AND (recording.work_taken_until IS NULL OR recording.work_taken_until <= :now)
        ORDER BY recording.next_work_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    UPDATE nchat_call_recordings AS recording SET work_taken_until = :until, work_attempts = recording.work_attempts + 1
    FROM due WHERE recording.id = due.id
    RETURNING recording.id, recording.call_id, recording.work_attempts AS attempt, array_remove(ARRAY[
        recording.file_path, recording.thumbnail_path] || ARRAY(
        SELECT part.file_path FROM nchat_call_recording_parts AS part WHERE part.recording_id = recording.id), NULL) AS paths,
        recording.storage_bucket
""")  # noqa: S608 - the condition is a constant
# As long as the attempt is the one that was taken, nobody else has it.
KEEP: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording SET work_taken_until = :until
    WHERE recording.id = :id AND recording.work_attempts = :attempt AND {REMOVABLE} RETURNING recording.id
""")  # noqa: S608
LET_GO: Final = sa.text("""
    UPDATE nchat_call_recordings SET work_taken_until = NULL, next_work_at = :next WHERE id = :id AND work_attempts = :attempt
""")
DONE: Final = sa.text(f"""
    UPDATE nchat_call_recordings AS recording
    SET status = 'deleted', status_since = :now, work_taken_until = NULL, file_path = NULL, file_size = NULL, thumbnail_path = NULL,
        join_progress = NULL
    WHERE recording.id = :id AND recording.work_attempts = :attempt AND {REMOVABLE} RETURNING recording.id
""")  # noqa: S608
PARTS_DONE: Final = sa.text("""
    UPDATE nchat_call_recording_parts
    SET status = 'deleted', status_since = :now, file_path = NULL, file_size = NULL, late_look_at = NULL
    WHERE recording_id = :id AND status IN ('ready', 'failed')
""")
# Nobody is sent to it any more, and whoever is at it stops.
NO_DASH: Final = sa.text(f"""
    WITH gone AS (
        DELETE FROM nchat_stream_dash AS dash USING nchat_call_recordings AS recording
        WHERE dash.recording_id = recording.id AND recording.id = :id AND recording.work_attempts = :attempt AND {REMOVABLE}
        RETURNING dash.stream_id
    )
    UPDATE nchat_streams AS stream SET dash_url = NULL FROM gone WHERE stream.id = gone.stream_id RETURNING stream.id
""")  # noqa: S608
WAITING: Final = sa.text(f"""
    SELECT count(*) AS many, min(recording.delete_asked_at) AS oldest FROM nchat_call_recordings AS recording WHERE {REMOVABLE}
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Removal:
    """A recording in the hands of one process. `paths` are keys that its rows name, wherever they lie in its `bucket`."""

    id: UUID
    call_id: UUID | None
    attempt: int
    paths: tuple[str, ...]
    bucket: str | None


async def take(world: World, most: int) -> Sequence[Removal]:
    """Up to so many of those that are due; nobody else gets them until they are let go or `TAKEN_FOR` is over."""
    now = world.clock.now()
    async with world.transaction("recording.take_removals") as tx:
        found = await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "most": most})
        return [Removal(row.id, row.call_id, row.attempt, tuple(row.paths), row.storage_bucket) for row in found]


async def keep(world: World, removal: Removal) -> bool:
    """Whether it is still to be removed, and by this process: a legal hold that came meanwhile stops it."""
    asked = {"id": removal.id, "attempt": removal.attempt, "until": world.clock.now() + TAKEN_FOR}
    async with world.transaction("recording.keep_removal") as tx:
        return (await tx.connection.execute(KEEP, asked)).first() is not None


async def let_go(world: World, removal: Removal) -> timedelta:
    """It failed, or was stopped: later again, after a pause that grows with each try; returns the pause."""
    pause = timedelta(seconds=min(FIRST_PAUSE * 2 ** min(removal.attempt - 1, 16), LONGEST_PAUSE))
    async with world.transaction("recording.let_go") as tx:
        await tx.connection.execute(LET_GO, {"id": removal.id, "attempt": removal.attempt, "next": world.clock.now() + pause})
    return pause


async def withdraw_dash(world: World, removal: Removal) -> None:
    """Before its objects go: what of it is repackaged is neither told of nor made any more."""
    async with world.transaction("recording.withdraw_dash") as tx:
        for stream_id in (await tx.connection.execute(NO_DASH, {"id": removal.id, "attempt": removal.attempt})).scalars():
            tx.hint(f"stream:{stream_id}")


async def done(world: World, removal: Removal) -> bool:
    """Recording and parts are `deleted`; False, with nothing written, when it is not this process's any more, or has to stay."""
    asked = {"id": removal.id, "attempt": removal.attempt, "now": world.clock.now()}
    async with world.transaction("recording.removed") as tx:
        if (await tx.connection.execute(DONE, asked)).first() is None:
            return False
        await tx.connection.execute(PARTS_DONE, {"id": removal.id, "now": world.clock.now()})
        changed(tx, removal.call_id)
    return True


async def waiting(world: World) -> tuple[int, datetime | None]:
    """How many wait for their removal, and since when the oldest does."""
    async with world.transaction("recording.removals_waiting") as tx:
        row = (await tx.connection.execute(WAITING)).one()
    return row.many, row.oldest
