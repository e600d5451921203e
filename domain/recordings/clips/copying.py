"""Clips made by the store: each segment copied under keys of the clip's own, then playlists that name them. No byte comes this way."""

import asyncio
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Final

import structlog

from domain.recording_ports import ObjectStore, StorageError
from domain.recordings.clips import copies, outcomes
from domain.recordings.clips.copies import ClipInHand
from domain.recordings.clips.plans import ClipPlan, PlannedPart, UnreadablePlan, of_note
from domain.recordings.ending.gathering import objects_under
from domain.recordings.names import picture_key, playlist_key
from domain.recordings.playlists import INF, TIME
from domain.world import World

log = structlog.get_logger(__name__)
AT_ONCE: Final = 8
PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
GONE: Final = "What it is a clip of is gone."
NO_STORE: Final = "The store could not be reached."
CUT_OFF: Final = "Copying it was cut off each time it was tried."
UNWANTED: Final = "It was removed before it was made."
UNREADABLE: Final = "What it was to be made of can't be read."
# A process of another version may read what this one can't.
MOST_READS: Final = 5


class SourceGone(Exception):
    """A segment is not there any more."""


async def copy_due(world: World) -> int:
    """Makes what is due, one clip after the other; returns how many. Each is safe to be cut off anywhere, and begun again."""
    store, made = world.store, 0
    while store is not None and (clip := await copies.take(world)) is not None:
        await _copy(world, store.of(clip.bucket), clip)
        made += 1
    return made


async def _copy(world: World, store: ObjectStore, clip: ClipInHand) -> None:
    if clip.unwanted:
        await outcomes.failed(world, clip, UNWANTED)
        return
    if clip.too_often:
        await _give_up(world, clip, CUT_OFF)
        return
    try:
        await _make(world, store, clip, of_note(json.loads(clip.notes or "null")))
    except UnreadablePlan as error:
        await _unread(world, clip, str(error))
    except SourceGone:
        await outcomes.failed(world, clip, GONE)
    except StorageError as error:
        log.warning("clip_not_copied", recording_id=str(clip.id), attempt=clip.attempt, error=str(error))
        if clip.last_try:
            await _give_up(world, clip, NO_STORE)
        else:
            await copies.put_off(world, clip)


async def _give_up(world: World, clip: ClipInHand, sentence: str) -> None:
    log.error("clip_given_up", recording_id=str(clip.id), attempts=clip.attempt)
    await outcomes.failed(world, clip, sentence)


async def _unread(world: World, clip: ClipInHand, why: str) -> None:
    log.error("clip_plan_unreadable", recording_id=str(clip.id), attempt=clip.attempt, why=why)
    if clip.attempt >= MOST_READS:
        await outcomes.failed(world, clip, UNREADABLE)
    else:
        await copies.put_off(world, clip)


async def _make(world: World, store: ObjectStore, clip: ClipInHand, plan: ClipPlan) -> None:
    there = {key for part in plan.parts for key in await objects_under(store, part.target)}
    missing = [copy for part in plan.parts for copy in part.copies() if copy.target not in there]
    places = await copies.places(world, plan.sources)
    while missing:
        try:
            await _copy_some(store, [(copy.source(places), copy.target) for copy in missing[:AT_ONCE]])
        except SourceGone:
            # Moved since it was looked for, if its row says so now: the row says so before it is deleted where it was.
            before, places = places, await copies.places(world, plan.sources)
            if places == before:
                raise
            continue
        missing = missing[AT_ONCE:]
        if not await copies.keep(world, clip, 100 - 100 * len(missing) // plan.many):
            return
    for part in plan.parts:
        await store.write(playlist_key(part.target), _playlist(part), PLAYLIST_TYPE)
    picture = picture_key(plan.parts[0].target, 0)
    await outcomes.ready(world, clip, plan, picture if await store.copy(plan.picture, picture) else None)


async def _copy_some(store: ObjectStore, wanted: Collection[tuple[str, str]]) -> None:
    """All of them, or StorageError or SourceGone when each has been tried."""
    found: Sequence[bool | BaseException] = await asyncio.gather(*(store.copy(*pair) for pair in wanted), return_exceptions=True)
    for outcome in found:
        if isinstance(outcome, BaseException):
            raise outcome
    if not all(found):
        raise SourceGone


def _playlist(part: PlannedPart) -> bytes:
    """As a recorder would have written it."""
    longest = max(round(segment.seconds) for segment in part.segments)
    head = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-PLAYLIST-TYPE:EVENT", f"#EXT-X-TARGETDURATION:{longest}"]
    return "\n".join([*head, *_lines(part), "#EXT-X-ENDLIST", ""]).encode()


def _lines(part: PlannedPart) -> Iterator[str]:
    for segment, name in zip(part.segments, part.names, strict=True):
        if segment.began_at is not None:
            yield f"{TIME}{segment.began_at.isoformat(timespec='milliseconds')}"
        yield from (f"{INF}{segment.seconds:.6f},", name)
