"""Late objects moved by the store itself: copied, then looked for at the new keys, then deleted at those that the CDN serves.

Safe to be cut off anywhere and to run twice: what is still there is copied again, and what is gone was moved.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import structlog

from domain.recording_ports import ObjectStore, StorageError, StoredObject
from domain.recordings.late import taking
from domain.recordings.late.taking import NarrowedPart
from domain.recordings.names import PICTURE, SEGMENT, file_key, picture_key, segment_name
from domain.recordings.part_keys import segment_number
from domain.recordings.playing import storyboard
from domain.recordings.playing.playlist import target_duration
from domain.recordings.recorder.looked_at import EVERY
from domain.world import World

Item = TypeVar("Item")
log = structlog.get_logger(__name__)
PAGE: Final = 1000
PARTS_AT_ONCE: Final = 8
COPIES_AT_ONCE: Final = 8


async def move_late(world: World) -> int:
    """Looks through what is due; returns how many parts. A part whose store does not answer holds up no other."""
    store, looked = world.store, 0
    while store is not None and (taken := await taking.take(world, PARTS_AT_ONCE)):
        await asyncio.gather(*(_look_through(world, store.of(part.bucket), part) for part in taken))
        looked += len(taken)
    return looked


async def _look_through(world: World, store: ObjectStore, part: NarrowedPart) -> None:
    try:
        if await _move_segments(world, store, part) and await _move_others(world, store, part) and part.closed_at is not None:
            await _correct_rows(world, store, part)
    except StorageError as error:
        log.warning("late_segments_not_moved", part_id=str(part.id), error=str(error))
        await taking.put_off(world, part)
        return
    await taking.look_again(world, part)


async def _move_segments(world: World, store: ObjectStore, part: NarrowedPart) -> bool:
    """False when the recording is to go, with everything that it has."""
    there = await _segments(store, part)
    late_from = await taking.decide(world, part, _first_late(part, there)) if part.late_from is None else part.late_from
    for some in _batches([number for number in sorted(there) if number >= late_from]):
        if not await _move(world, store, part, [segment_name(number) for number in some], moved_to=some[-1] + 1):
            return False
    return True


async def _move_others(world: World, store: ObjectStore, part: NarrowedPart) -> bool:
    """The same of pictures of late moments, and of the file, which is uploaded at the end."""
    late = [one.key.removeprefix(part.prefix) for one in await _listed(store, f"{part.prefix}{PICTURE}_") if _is_late(part, one)]
    if part.closed_at is not None and await store.head(file_key(part.prefix)) is not None:
        late.append(file_key(""))
    for some in _batches(late):
        if not await _move(world, store, part, some, moved_to=0):
            return False
    return True


async def _correct_rows(world: World, store: ObjectStore, part: NarrowedPart) -> None:
    """Whoever gathered the part meanwhile may have noted the keys of before: so this is done at each look."""
    moved = {one.key.removeprefix(part.late_prefix) for one in await _listed(store, part.late_prefix)}
    names = [name for name in (file_key(""), picture_key("", 0)) if name in moved]
    await taking.name_anew(world, part, {part.prefix + name: part.late_prefix + name for name in names})


async def _move(world: World, store: ObjectStore, part: NarrowedPart, names: Sequence[str], *, moved_to: int) -> bool:
    """Objects of these names; False when the recording is to go. One that is not there any more was moved by another process."""
    outcomes = await asyncio.gather(*(store.copy(part.prefix + name, part.late_prefix + name) for name in names), return_exceptions=True)
    _raise_first(outcomes)
    if not await taking.moved(world, part, moved_to):
        await store.delete([part.late_prefix + name for name in names])
        return False
    await store.delete([part.prefix + name for name in names])
    return True


async def _segments(store: ObjectStore, part: NarrowedPart) -> Mapping[int, StoredObject]:
    """By their numbers, from the first on that may be late."""
    after = part.prefix + segment_name(part.seen - 1) if part.seen else ""
    listed = await _listed(store, f"{part.prefix}{SEGMENT}_", after)
    by_number = {segment_number(one.key.removeprefix(part.prefix)): one for one in listed}
    return {number: one for number, one in by_number.items() if number is not None and number >= part.seen}


def _first_late(part: NarrowedPart, there: Mapping[int, StoredObject]) -> int:
    """Whatever comes after this look is late; of what is there, what the store got from the second of the change on.

    Its clock may go wrong: so it counts for no more segments than can have been played unseen.
    """
    since = part.narrowed_at.replace(microsecond=0)
    nothing_yet = max(there, default=part.seen - 1) + 1
    return min(min((number for number, one in there.items() if one.modified_at >= since), default=nothing_yet), part.seen + _unseen(part))


def _unseen(part: NarrowedPart) -> int:
    """So many segments may have been uploaded, and played, since the part was last looked at before its stream was narrowed."""
    return math.ceil(EVERY.total_seconds() / part.segment_seconds) + 1


def _is_late(part: NarrowedPart, picture: StoredObject) -> bool:
    """By the store's clock, or by its number, however long segments are."""
    found = storyboard.NAME.fullmatch(picture.key.removeprefix(part.prefix))
    began = int(found[1]) * storyboard.PICTURE_SECONDS if found is not None else 0
    late = (part.seen + _unseen(part)) * target_duration(part.segment_seconds)
    return picture.modified_at >= part.narrowed_at.replace(microsecond=0) or began >= late


def _raise_first(outcomes: Sequence[bool | BaseException]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[place : place + COPIES_AT_ONCE] for place in range(0, len(items), COPIES_AT_ONCE))


async def _listed(store: ObjectStore, prefix: str, after: str = "") -> Sequence[StoredObject]:
    found = list[StoredObject]()
    while page := await store.list(prefix, after=after, most=PAGE):
        found += page
        after = page[-1].key
        if len(page) < PAGE:
            break
    return found
