"""Recordings that are over, written as rows with their objects: for tests of what becomes of them afterwards."""

from datetime import timedelta
from uuid import UUID, uuid4

from domain.recording_ports import ObjectStore
from domain.recordings.names import file_key, new_prefix, playlist_key
from tests.support.domain_setup import ALICE, Setup

RECORDING = """
    INSERT INTO nchat_call_recordings (id, call_id, started_by, status, type, ended_at, expires_at, file_path, next_work_at)
    VALUES ($1, $2, $3, $4::recording_status, 'composite', $5, $6, $7, $5)
"""
PART = """
    INSERT INTO nchat_call_recording_parts (id, recording_id, index, status, path_prefix, file_path, closed_at, segments, duration)
    VALUES ($1, $2, $3, $4::recording_status, $5, $6, $7, 2, 8)
"""


async def ended_call(on: Setup) -> UUID:
    """A call of alice's that is over."""
    row = "INSERT INTO nchat_calls (initiator_id, type, status, ended_at) VALUES ($1, 'audio', 'ended', $2) RETURNING id"
    found = await on.database.fetchval(row, ALICE, on.clock.now())
    assert isinstance(found, UUID)
    return found


async def finished_recording(
    on: Setup, call_id: UUID, store: ObjectStore | None = None, *, parts: int = 1, segments: int = 2, status: str = "ready"
) -> UUID:
    """A recording that ended a moment ago and expires in a month, with what a recorder leaves in the store of each part."""
    recording_id, now = uuid4(), on.clock.now()
    ids = [uuid4() for _ in range(parts)]
    prefixes = [new_prefix(recording_id, part_id) for part_id in ids]
    await on.database.execute(
        RECORDING, recording_id, call_id, ALICE, status, now, now + timedelta(days=30), file_key(prefixes[0]) if parts == 1 else None
    )
    for index, (part_id, prefix) in enumerate(zip(ids, prefixes, strict=True)):
        await on.database.execute(PART, part_id, recording_id, index, status, prefix, file_key(prefix), now)
        for key in (playlist_key(prefix), file_key(prefix), *(f"{prefix}segment_{number:05d}.ts" for number in range(segments))):
            await (store or on.store).write(key, b"media", "application/octet-stream")
    return recording_id


async def status_of(on: Setup, recording_id: UUID) -> str:
    return str(await on.database.fetchval("SELECT status FROM nchat_call_recordings WHERE id = $1", recording_id))


async def part_statuses(on: Setup, recording_id: UUID) -> set[str]:
    rows = await on.database.fetch("SELECT DISTINCT status FROM nchat_call_recording_parts WHERE recording_id = $1", recording_id)
    return {row["status"] for row in rows}
