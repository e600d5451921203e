"""What became of a clip: ready, or failed with a sentence. Decided under its lock, by whoever has it in hand."""

from collections.abc import Sequence
from typing import Final, Literal

import sqlalchemy as sa

from domain.recordings.clips.copies import ClipInHand
from domain.recordings.clips.plans import ClipPlan, PlannedPart
from domain.recordings.ending.policies import expiry
from domain.recordings.life_cycle import move_part, move_recording
from domain.recordings.rows import Recording, lock_recording, parts_of
from domain.world import Transaction, World

MINE: Final = sa.text("""
    SELECT recording.id FROM nchat_call_recordings AS recording
    WHERE recording.id = :id AND recording.work_attempts = :attempt AND recording.status = 'processing' FOR UPDATE
""")


async def ready(world: World, clip: ClipInHand, plan: ClipPlan, picture: str | None) -> bool:
    """All of it is there; False, with nothing written, when it is not this process's any more. `joining` makes a file of it next."""
    async with world.transaction("clip.ready") as tx:
        recording, now = await _mine(tx, clip), world.clock.now()
        if recording is None:
            return False
        for part in plan.parts:
            seen = {"segments": len(part.segments), "duration": part.seconds, "closed_at": now, **_times([part])}
            await move_part(tx, part.id, "processing", "ready", now=now, **seen)
        seconds = sum(part.seconds for part in plan.parts)
        media = {"duration": round(seconds), "thumbnail_path": picture, "join_progress": 0, "clip_progress": 100, **_times(plan.parts)}
        return await _end(tx, world, recording, "ready", **media)


async def failed(world: World, clip: ClipInHand, sentence: str) -> bool:
    """There will be none, for this reason; False when it is not this process's any more."""
    async with world.transaction("clip.failed") as tx:
        recording, now = await _mine(tx, clip), world.clock.now()
        if recording is None:
            return False
        for part in await parts_of(tx, clip.id):
            await move_part(tx, part.id, "processing", "failed", now=now, closed_at=now, error_message=sentence)
        return await _end(tx, world, recording, "failed", error_message=sentence)


async def _mine(tx: Transaction, clip: ClipInHand) -> Recording | None:
    found = await tx.connection.execute(MINE, {"id": clip.id, "attempt": clip.attempt})
    return None if found.first() is None else await lock_recording(tx, clip.id)


async def _end(tx: Transaction, world: World, recording: Recording, to: Literal["ready", "failed"], **values: object) -> bool:
    """It is kept by its own policy, from now on."""
    now = world.clock.now()
    until = await expiry(tx, recording, now, world.limits.default_policy)
    rest = {"work_taken_until": None, "work_attempts": 0, "join_tries": 0, "next_work_at": now}
    return await move_recording(tx, recording, to, now=now, expires_at=until, **rest, **values)


def _times(parts: Sequence[PlannedPart]) -> dict[str, object]:
    """Those of the source's first frame and of its last, where its playlist says them."""
    return {"media_started_at": parts[0].segments[0].began_at, "ended_at": parts[-1].segments[-1].ended_at}
