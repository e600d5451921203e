"""Objects under the recordings' root that no row knows: what a removal, or a recorder thought dead, left behind."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.recording_ports import ObjectStore, StoredObject
from domain.recordings.names import ROOT
from domain.world import Transactions

PAGE: Final = 1000
# A recorder may still upload, a row may not be written yet, a file may be in the making.
LEFT_ALONE_FOR: Final = timedelta(hours=24)
KNOWN: Final = sa.text("""
    SELECT recording.id, recording.status, array_remove(ARRAY[recording.file_path, recording.thumbnail_path] || ARRAY(
            SELECT part.file_path FROM nchat_call_recording_parts AS part WHERE part.recording_id = recording.id), NULL) AS paths,
        ARRAY(SELECT prefix FROM nchat_call_recording_parts AS part, unnest(ARRAY[part.path_prefix, part.late_prefix]) AS prefix
            WHERE part.recording_id = recording.id AND prefix IS NOT NULL) ||
        ARRAY(SELECT prefix FROM nchat_stream_dash AS dash, unnest(ARRAY[dash.path_prefix, dash.making_prefix]) AS prefix
            WHERE dash.recording_id = recording.id AND prefix IS NOT NULL) AS prefixes
    FROM nchat_call_recordings AS recording WHERE recording.id = ANY(:ids)
""").bindparams(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))


BUCKETS: Final = sa.text("SELECT DISTINCT storage_bucket FROM nchat_call_recordings WHERE storage_bucket <> '' AND status <> 'deleted'")


@dataclass(frozen=True, slots=True)
class _Known:
    deleted: bool
    keys: frozenset[str]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """So many objects were looked at, `strays` of them belong to nobody; `young` ones belong to nobody and are left alone.

    Of `unknown` ones not even the recording was ever heard of.
    """

    looked_at: int
    strays: tuple[StoredObject, ...]
    young: int
    unknown: int


async def named_buckets(transaction: Transactions) -> set[str]:
    """Those that rows of recordings name that are still there: settings may have changed since."""
    async with transaction("sweep.buckets") as tx:
        return set((await tx.connection.execute(BUCKETS)).scalars())


async def stray_objects(transaction: Transactions, store: ObjectStore, now: datetime) -> AsyncIterator[ObjectPage]:
    """Page by page in the order of the keys. A recording that is there keeps its objects in any bucket: somebody may be moving them.

    Raises StorageError, and the database's own errors.
    """
    after = ""
    while page := await store.list(ROOT, after=after, most=PAGE):
        known = await _known(transaction, {found for one in page if (found := _recording_of(one.key)) is not None})
        lost = [one for one in page if not _belongs(one.key, known)]
        strays = tuple(one for one in lost if now - one.modified_at >= LEFT_ALONE_FOR)
        unknown = sum(_recording_of(one.key) not in known for one in lost)
        yield ObjectPage(len(page), strays, len(lost) - len(strays), unknown)
        after = page[-1].key


async def _known(transaction: Transactions, ids: Collection[UUID]) -> Mapping[UUID, _Known]:
    async with transaction("sweep.known") as tx:
        rows = (await tx.connection.execute(KNOWN, {"ids": list(ids)})).all()
    return {row.id: _Known(row.status == "deleted", frozenset(row.paths), tuple(row.prefixes)) for row in rows}


def _belongs(key: str, known: Mapping[UUID, _Known]) -> bool:
    recording_id = _recording_of(key)
    mine = None if recording_id is None else known.get(recording_id)
    return mine is not None and not mine.deleted and (key in mine.keys or key.startswith(mine.prefixes))


def _recording_of(key: str) -> UUID | None:
    try:
        return UUID(key.removeprefix(ROOT).partition("/")[0])
    except ValueError:
        return None
