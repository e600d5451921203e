"""The buckets and the rows compared: first what is found, then, where it is wanted, the repair."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from domain.ports import Clock
from domain.recording_ports import ObjectStore
from domain.recordings.retention.bare_rows import BareRow, bare_rows, repair_row
from domain.recordings.retention.stray_objects import named_buckets, stray_objects
from domain.world import Transactions

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Found:
    """What a sweep has seen so far, and what it repaired."""

    objects: int = 0
    stray: int = 0
    stray_bytes: int = 0
    young: int = 0
    rows: int = 0
    bare: list[BareRow] = field(default_factory=list)
    deleted: int = 0
    repaired: int = 0
    # In some bucket the database knows not one recording: its rows are another deployment's, more likely than the objects nobody's.
    another_database: bool = False

    @property
    def clean(self) -> bool:
        return not self.stray and not self.bare


class AnotherDatabase(Exception):
    """This database never heard of any recording in the bucket: nothing is deleted."""


# Hears after every page what was found by then.
Progress = Callable[[Found], None]


@dataclass(frozen=True, slots=True)
class Sweep:
    """A bucket, and those that rows name besides; the database that knows their recordings, and who watches."""

    transaction: Transactions
    store: ObjectStore
    clock: Clock
    progress: Progress

    async def look(self) -> Found:
        """Changes nothing. Raises StorageError, and the database's own errors."""
        found = Found()
        for store in await self._stores():
            await self._look_into(store, found)
        async for looked_at, bare in bare_rows(self.transaction, self.store):
            found.rows += looked_at
            found.bare += bare
            self.progress(found)
        return found

    async def _stores(self) -> Sequence[ObjectStore]:
        """The present bucket first."""
        others = await named_buckets(self.transaction) - {self.store.bucket}
        return [self.store, *(self.store.of(bucket) for bucket in sorted(others))]

    async def _look_into(self, store: ObjectStore, found: Found) -> None:
        looked_at, unknown = 0, 0
        async for page in stray_objects(self.transaction, store, self.clock.now()):
            looked_at, unknown = looked_at + page.looked_at, unknown + page.unknown
            found.objects += page.looked_at
            found.stray += len(page.strays)
            found.stray_bytes += sum(one.size for one in page.strays)
            found.young += page.young
            self.progress(found)
        found.another_database |= 0 < looked_at == unknown

    async def repair(self, found: Found) -> None:
        """Deletes objects without a row, each page looked at anew, and says in rows without an object what is missing.

        Raises AnotherDatabase, StorageError, and the database's own errors; what was repaired by then stays so, and it may be repeated.
        """
        if found.another_database and found.stray:
            raise AnotherDatabase
        for store in await self._stores():
            async for page in stray_objects(self.transaction, store, self.clock.now()):
                await store.delete([one.key for one in page.strays])
                found.deleted += len(page.strays)
                self.progress(found)
        for bare in found.bare:
            found.repaired += await repair_row(self.transaction, bare, self.clock.now())
            self.progress(found)
        log.info("recordings_swept", deleted=found.deleted, repaired=found.repaired)
