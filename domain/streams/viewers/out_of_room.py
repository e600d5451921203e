"""Who watched by WebRTC and watches no more is taken out of the stream's room: a token can't be revoked."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

import structlog

from domain.ports import MediaError, MediaSilent
from domain.streams.viewers import leavers
from domain.streams.viewers.leavers import Leavers
from domain.streams.viewers.putting_out import empty_of
from domain.streams.viewers.rows import identity
from domain.world import World

log = structlog.get_logger(__name__)
# Rooms of one process at a time: one that nobody answers for has its place for some seconds, and the others have theirs.
ROOMS: Final = 50
# Seconds until new ones are looked for while others are under way.
LOOK_EVERY: Final = 0.25
# Seconds for a share. After `TAKEN_FOR` somebody else may have it.
WITHIN: Final = 12.0
# Rows of rooms that are gone, in one transaction.
BATCH: Final = 1000


async def take_out(world: World) -> None:
    """All whose session ended and who may still be in the room: rooms side by side, of each a share at a time, by one look and a request
    for each who is there. Safe on several workers: each takes what nobody has.

    What LiveKit does not confirm is tried again after a pause that grows. Whoever comes between the look and the end of a session is put
    out when LiveKit tells of it, and by the reconciler. Raises an ExceptionGroup of what else failed, when all others are done.
    """
    under_way: dict[UUID, asyncio.Task[None]] = {}
    failures: list[Exception] = []
    try:
        while await _begin_more(world, under_way):
            await asyncio.wait(under_way.values(), timeout=LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            failures += _take_done(under_way)
    finally:
        await _give_up(under_way.values())
    if failures:
        raise ExceptionGroup(f"{len(failures)} rooms failed", failures)


async def note_closed_rooms(world: World) -> None:
    """Whoever was in the room of a stream that is over went with it: all of them, some at a time."""
    while await leavers.confirm_closed(world, BATCH) == BATCH:
        pass


async def _begin_more(world: World, under_way: dict[UUID, asyncio.Task[None]]) -> bool:
    """Whether anything is under way now."""
    if len(under_way) < ROOMS:
        for share in await leavers.take(world, most=ROOMS - len(under_way), other_than=under_way.keys()):
            under_way[share.stream_id] = asyncio.create_task(_take_out(world, share))
    return bool(under_way)


def _take_done(under_way: dict[UUID, asyncio.Task[None]]) -> list[Exception]:
    """Forgets what is done; what it failed with, if it did."""
    failures = []
    for stream_id in [stream_id for stream_id, task in under_way.items() if task.done()]:
        try:
            under_way.pop(stream_id).result()
        except Exception as failure:  # noqa: BLE001 - raised with the others of the turn
            failures.append(failure)
    return failures


async def _take_out(world: World, share: Leavers) -> None:
    people = {identity(viewer_id): viewer_id for viewer_id in share.viewer_ids}
    try:
        async with asyncio.timeout(WITHIN):
            kept = await empty_of(world, share.room_name, people.keys())
    except (MediaError, TimeoutError) as failure:
        await leavers.put_room_off(world, share)
        _tell(share, len(people), failure)
        return
    await leavers.confirm(world, [viewer_id for name, viewer_id in people.items() if name not in kept])
    if kept:
        await _put_off(world, share, {people[name]: failure for name, failure in kept.items()})


async def _put_off(world: World, share: Leavers, kept: Mapping[UUID, MediaError]) -> None:
    silent = next((failure for failure in kept.values() if isinstance(failure, MediaSilent)), None)
    if silent is None:
        await leavers.put_off(world, share, list(kept))
    else:
        await leavers.put_room_off(world, share)
    _tell(share, len(kept), silent or next(iter(kept.values())))


def _tell(share: Leavers, many: int, failure: Exception) -> None:
    again_in = share.pause.total_seconds()
    log.warning("viewers_not_out", stream_id=str(share.stream_id), many=many, again_in=again_in, error=str(failure) or "took too long")


async def _give_up(tasks: Iterable[asyncio.Task[None]]) -> None:
    """What is cut off is due again when `TAKEN_FOR` is over."""
    running = list(tasks)
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
