"""Which narrowed parts are looked through now, each by one process for a while, and how far each has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.recordings.life_cycle import changed
from domain.world import Transaction, World

# Longer than a look takes; whoever dies at one leaves the part for so long.
TAKEN_FOR: Final = timedelta(seconds=20)
EVERY: Final = timedelta(seconds=1)
# A recorder that was given up and lives after all is stopped by then.
WATCHED_FOR: Final = timedelta(seconds=60)
AFTERWARDS_EVERY: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(seconds=60)
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT part.id FROM nchat_call_recording_parts AS part JOIN nchat_call_recordings AS recording ON recording.id = part.recording_id
        WHERE part.late_look_at <= :now AND recording.status <> 'deleted' AND recording.delete_asked_at IS NULL
        ORDER BY part.late_look_at LIMIT :most FOR NO KEY UPDATE OF part SKIP LOCKED
    )
    UPDATE nchat_call_recording_parts AS part SET late_look_at = :until
    FROM due, nchat_call_recordings AS recording
    WHERE part.id = due.id AND recording.id = part.recording_id
    RETURNING part.id, part.recording_id, part.path_prefix AS prefix, part.late_prefix, part.late_from, part.moved_to, part.narrowed_at,
        part.closed_at, part.segment_seconds, part.late_look_at AS taken_until, recording.storage_bucket AS bucket
""")
DECIDE: Final = sa.text("""
    UPDATE nchat_call_recording_parts SET late_from = coalesce(late_from, :late_from) WHERE id = :id RETURNING late_from
""")
# What is to be removed gets no more objects.
MOVED: Final = sa.text("""
    UPDATE nchat_call_recording_parts AS part SET moved_to = greatest(part.moved_to, :moved_to)
    FROM nchat_call_recordings AS recording
    WHERE part.id = :id AND recording.id = part.recording_id AND recording.status <> 'deleted' AND recording.delete_asked_at IS NULL
    RETURNING part.id
""")
NEXT: Final = sa.text("UPDATE nchat_call_recording_parts SET late_look_at = :next WHERE id = :id AND late_look_at = :taken_until")
PART_FILE: Final = sa.text("UPDATE nchat_call_recording_parts SET file_path = :key WHERE id = :id AND file_path = :before RETURNING id")
RECORDING_FILE: Final = sa.text("""
    UPDATE nchat_call_recordings SET file_path = CASE file_path WHEN :before THEN :key ELSE file_path END,
        thumbnail_path = CASE thumbnail_path WHEN :before THEN :key ELSE thumbnail_path END
    WHERE id = :recording AND :before IN (file_path, thumbnail_path) RETURNING call_id
""").bindparams(sa.bindparam("before", type_=sa.Text), sa.bindparam("key", type_=sa.Text))


@dataclass(frozen=True, slots=True)
class NarrowedPart:
    """A part in the hands of one process. Segments before `moved_to` were seen before `narrowed_at`, or are where they belong by now;
    `late_from` is None until somebody has looked. `closed_at`: its recorder has ended, or was given up."""

    id: UUID
    recording_id: UUID
    prefix: str
    late_prefix: str
    late_from: int | None
    moved_to: int
    narrowed_at: datetime
    closed_at: datetime | None
    segment_seconds: int
    taken_until: datetime
    bucket: str | None

    @property
    def seen(self) -> int:
        """So many segments are left where they are: none of them is late."""
        return self.moved_to if self.late_from is None else self.late_from


async def take(world: World, most: int) -> Sequence[NarrowedPart]:
    """Up to so many of those that are due; nobody else looks at them for `TAKEN_FOR`, or until `look_again`."""
    now = world.clock.now()
    async with world.transaction("late.take") as tx:
        found = await tx.connection.execute(TAKE, {"now": now, "until": now + TAKEN_FOR, "most": most})
        return [NarrowedPart(**row._mapping) for row in found]


async def decide(world: World, part: NarrowedPart, late_from: int) -> int:
    """Which segment is the first that moves: by whoever says so first."""
    async with world.transaction("late.decide") as tx:
        return int(await tx.connection.scalar(DECIDE, {"id": part.id, "late_from": late_from}))


async def moved(world: World, part: NarrowedPart, moved_to: int) -> bool:
    """All before this segment are copied: from the commit on they are looked for there. False where the recording is to go."""
    async with world.transaction("late.moved") as tx:
        return (await tx.connection.execute(MOVED, {"id": part.id, "moved_to": moved_to})).first() is not None


async def name_anew(world: World, part: NarrowedPart, keys: Mapping[str, str]) -> None:
    """Rows that name objects by these keys name them by those they have now."""
    async with world.transaction("late.names") as tx:
        for before, key in keys.items():
            await _name_anew(tx, part, {"before": before, "key": key})


async def look_again(world: World, part: NarrowedPart) -> None:
    """Soon, as long as something may come; not any more when its recorder has been gone for a while."""
    now = world.clock.now()
    if part.closed_at is None:
        await _next(world, part, now + EVERY)
    else:
        await _next(world, part, None if now - part.closed_at >= WATCHED_FOR else now + AFTERWARDS_EVERY)


async def put_off(world: World, part: NarrowedPart) -> None:
    """The store is away: later, and the later the longer it has been. It is never given up: it lies open until then."""
    now = world.clock.now()
    await _next(world, part, now + min(max(now - part.narrowed_at, EVERY), LONGEST_PAUSE))


async def _name_anew(tx: Transaction, part: NarrowedPart, keys: Mapping[str, str]) -> None:
    mine = await tx.connection.execute(PART_FILE, {"id": part.id, **keys})
    whole = await tx.connection.execute(RECORDING_FILE, {"recording": part.recording_id, **keys})
    if mine.first() is not None or whole.first() is not None:
        changed(tx, None)


async def _next(world: World, part: NarrowedPart, at: datetime | None) -> None:
    async with world.transaction("late.next") as tx:
        await tx.connection.execute(NEXT, {"id": part.id, "taken_until": part.taken_until, "next": at})
