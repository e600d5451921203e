"""Recordings that are to go: every object of every part first, then the row says so. Repeatable from any line."""

import asyncio
from typing import Final

import structlog

from domain.recording_ports import ObjectStore, StorageError
from domain.recordings.names import recording_prefix
from domain.recordings.retention import removals
from domain.recordings.retention.removals import Removal
from domain.world import World

log = structlog.get_logger(__name__)
BATCH: Final = 50
AT_ONCE: Final = 8
# As many keys as a store deletes in one request.
PAGE: Final = 1000


async def remove_due(world: World) -> int:
    """Removes one batch of what is due; returns how many are gone. The figures say how many still wait, and the oldest for how long."""
    store = world.store
    if store is None:
        return 0
    taken = await removals.take(world, BATCH)
    places = asyncio.Semaphore(AT_ONCE)

    async def one(removal: Removal) -> int | None:
        async with places:
            return await _remove(world, store, removal)

    gone = [objects for objects in await asyncio.gather(*(one(removal) for removal in taken)) if objects is not None]
    left = await _show(world)
    if taken:
        log.info("recordings_removed", many=len(gone), objects=sum(gone), put_off=len(taken) - len(gone), left=left)
    return len(gone)


async def remove_all_due(world: World) -> int:
    """Batch after batch until nothing is due, or the store takes nothing; returns how many are gone."""
    gone = 0
    while some := await remove_due(world):
        gone += some
    return gone


async def _remove(world: World, store: ObjectStore, removal: Removal) -> int | None:
    """How many objects went; None when it is put off."""
    try:
        await removals.withdraw_dash(world, removal)
        objects = await _empty(world, store.of(removal.bucket), removal)
    except StorageError as error:
        pause = await removals.let_go(world, removal)
        log.warning(
            "recording_not_removed",
            recording_id=str(removal.id),
            attempts=removal.attempt,
            again_in=pause.total_seconds(),
            error=str(error),
        )
        return None
    if objects is None or not await removals.done(world, removal):
        log.info("removal_stopped", recording_id=str(removal.id))
        await removals.let_go(world, removal)
        return None
    return objects


async def _empty(world: World, store: ObjectStore, removal: Removal) -> int | None:
    """Deletes page by page, each asked for anew; None when it has to stay, or is another's by now. Raises StorageError."""
    prefix, objects = recording_prefix(removal.id), 0
    elsewhere = [path for path in removal.paths if not path.startswith(prefix)]
    if elsewhere:
        if not await removals.keep(world, removal):
            return None
        await store.delete(elsewhere)
        objects += len(elsewhere)
    after = ""
    while page := await store.list(prefix, after=after, most=PAGE):
        if not await removals.keep(world, removal):
            return None
        await store.delete([one.key for one in page])
        objects, after = objects + len(page), page[-1].key
    # What was uploaded behind our back, or is there although the store said that it deleted it.
    if await store.list(prefix, most=1):
        raise StorageError("objects are there again")
    return objects


async def _show(world: World) -> int:
    many, oldest = await removals.waiting(world)
    world.figure("removals_waiting", many)
    world.figure("removal_oldest", 0.0 if oldest is None else max((world.clock.now() - oldest).total_seconds(), 0.0))
    return many
