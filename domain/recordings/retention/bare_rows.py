"""Rows that promise media which the store does not have: somebody, or something, took the objects away."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.recording_ports import ObjectStore
from domain.recordings.life_cycle import changed, move_part, move_recording
from domain.recordings.names import playlist_key
from domain.recordings.rows import lock_recording, parts_of
from domain.world import Transactions
from schema.tables.call_recordings import call_recordings

PAGE: Final = 100
GONE: Final = "Its media is gone from the store."
FILE_GONE: Final = "The file is gone from the store."
# What is being removed loses its objects rightly.
READY: Final = sa.text("""
    SELECT recording.id, recording.file_path, recording.storage_bucket FROM nchat_call_recordings AS recording
    WHERE recording.status = 'ready' AND recording.delete_asked_at IS NULL AND recording.id > :after ORDER BY recording.id LIMIT :page
""")
PARTS: Final = sa.text("""
    SELECT part.id, part.path_prefix, part.file_path FROM nchat_call_recording_parts AS part
    WHERE part.recording_id = :id AND part.status = 'ready'
""")
Lack = Literal["media", "file", "part"]


@dataclass(frozen=True, slots=True)
class BareRow:
    """A ready recording and what it lacks: all `media`, its `file` alone, or the media of some parts (`lost_parts`)."""

    id: UUID
    lacks: Lack
    lost_parts: frozenset[UUID]
    file_path: str | None


async def bare_rows(transaction: Transactions, store: ObjectStore) -> AsyncIterator[tuple[int, Sequence[BareRow]]]:
    """How many rows were looked at, and the bare ones among them, a page of rows at a time. Raises StorageError."""
    after = UUID(int=0)
    while page := await _ready(transaction, after):
        yield len(page), [bare for row in page if (bare := await _look(transaction, store, row)) is not None]
        after = page[-1].id


async def repair_row(transaction: Transactions, bare: BareRow, now: datetime) -> bool:
    """Says in words what is missing; False when the row has changed since it was looked at."""
    async with transaction("sweep.repair_row") as tx:
        recording = await lock_recording(tx, bare.id)
        if recording is None or recording.status != "ready" or recording.delete_asked_at is not None:
            return False
        for part in await parts_of(tx, bare.id):
            if part.id in bare.lost_parts and part.status == "ready":
                await move_part(tx, part.id, "ready", "failed", now=now, error_message=GONE, file_path=None, file_size=None)
        if bare.lacks == "media":
            return await move_recording(tx, recording, "failed", now=now, error_message=GONE, file_path=None, file_size=None)
        mine = sa.update(call_recordings).where(call_recordings.c.id == bare.id, call_recordings.c.file_path == bare.file_path)
        if bare.lacks == "file":
            await tx.connection.execute(mine.values(file_path=None, file_size=None, file_reason=FILE_GONE))
        changed(tx, recording.call_id)
    return True


async def _ready(transaction: Transactions, after: UUID) -> Sequence[Row[Any]]:
    async with transaction("sweep.ready") as tx:
        return (await tx.connection.execute(READY, {"after": after, "page": PAGE})).all()


async def _look(transaction: Transactions, store: ObjectStore, row: Row[Any]) -> BareRow | None:
    async with transaction("sweep.parts") as tx:
        parts = (await tx.connection.execute(PARTS, {"id": row.id})).all()
    store = store.of(row.storage_bucket)
    lost = frozenset([part.id for part in parts if not await _has_media(store, part)])
    file_lost = row.file_path is not None and await store.head(row.file_path) is None
    if len(lost) == len(parts) and (file_lost or row.file_path is None):
        return BareRow(row.id, "media", lost, row.file_path)
    if file_lost:
        return BareRow(row.id, "file", lost, row.file_path)
    return BareRow(row.id, "part", lost, row.file_path) if lost else None


async def _has_media(store: ObjectStore, part: Row[Any]) -> bool:
    keys = [part.file_path, playlist_key(part.path_prefix) if part.path_prefix else None]
    for key in filter(None, keys):
        if await store.head(key) is not None:
            return True
    return False
