"""A recorder that dies says nothing, and LiveKit's record of it stays ACTIVE for ever: what a part is, is what LiveKit and storage show.

Each part that LiveKit may still write is looked at every 4 s, by one process: its record, what its playlist has grown by, and where that
stands still, whether its egress is in the room at all. What has only grown is written down together.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from domain.ports import MediaError
from domain.recording_ports import Egress, ObjectStore, Recorder
from domain.recordings.held import hold, part_by_id
from domain.recordings.names import part_of
from domain.recordings.recorder.driving import adopt
from domain.recordings.recorder.egress_news import SENTENCES, News, hear, left_room, lost
from domain.recordings.recorder.growth import on_our_clock
from domain.recordings.recorder.looked_at import Looked, take_looks
from domain.recordings.recorder.noted_growth import note_growth
from domain.recordings.recorder.sights import Finding, PartSight, finding, see
from domain.recordings.rows import RecordingPart
from domain.recordings.settling import settle
from domain.short_waits import HeldByAnother, short_waits
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
# LiveKit itself gives up looking for a worker after some 22 s.
UNANSWERED: Final = timedelta(seconds=30)
# Looks at once: a thousand recordings are seen within their 4 s where the store answers within 60 ms.
AT_ONCE: Final = 16
BROKE_DOWN: Final = SENTENCES[500]
NEVER_BEGAN: Final = "The recorder did not begin."


async def watch(world: World) -> int:
    """Looks at every part that is due; returns how many. Raises MediaError when LiveKit does not answer: nothing counts as lost then."""
    recorder, store = world.recorder, world.store
    if recorder is None or store is None:
        return 0
    async with world.transaction("recording.take_looks") as tx:
        due = await take_looks(tx, world.clock.now())
    if due:
        await _look_at_all(world, recorder, store, due)
    return len(due)


async def _look_at_all(world: World, recorder: Recorder, store: ObjectStore, due: Sequence[Looked]) -> None:
    active = {egress.id: egress for egress in await recorder.active()}
    by_part = {part_of(egress.path_prefix): egress for egress in active.values()}
    places, grown = asyncio.Semaphore(AT_ONCE), list[tuple[RecordingPart, PartSight]]()

    async def look(one: Looked) -> None:
        async with places:
            try:
                sight = await _look(world, recorder, store, one, active.get(one.part.egress_id or "") or by_part.get(one.part.id))
            except MediaError as error:
                log.warning("recording_not_looked_at", part_id=str(one.part.id), error=str(error))
            except HeldByAnother:
                log.info("recording_held", what=f"part {one.part.id}")
            else:
                grown.extend([] if sight is None else [(one.part, sight)])

    await asyncio.gather(*(look(one) for one in due))
    _tell_skew(world, grown)
    try:
        async with world.transaction("recording.grown") as tx, short_waits(tx):
            await note_growth(tx, grown)
    except HeldByAnother:
        log.info("growth_not_noted", parts=len(grown))


def _tell_skew(world: World, grown: Sequence[tuple[RecordingPart, PartSight]]) -> None:
    """How far the clocks of recorders are away whose media is seen for the first time."""
    seen = [(part.asked_at, sight.growth, sight.at) for part, sight in grown if part.media_started_at is None and sight.growth is not None]
    begun = [(grown.began_at, on_our_clock(grown, asked_at, at)) for asked_at, grown, at in seen]
    skews = [abs((ours - theirs).total_seconds()) for theirs, ours in begun if theirs is not None and ours is not None]
    if skews:
        world.figure("recorder_skew", max(skews))


async def _look(world: World, recorder: Recorder, store: ObjectStore, one: Looked, listed: Egress | None) -> PartSight | None:
    """What was seen of a part that has nothing but grown."""
    if one.part.egress_id is None:
        await _find(world, recorder, one, listed)
        return None
    sight = await see(recorder, store, one, listed, world.clock.now())
    if finding(one.part, sight) is None:
        return sight if one.part.status == "recording" else None
    await _decide(world, one.part, sight)
    return None


async def _find(world: World, recorder: Recorder, one: Looked, listed: Egress | None) -> None:
    """A part whose request was not answered: its egress is found by its prefix, or there is none."""
    if one.part.asked_at is None:
        return
    found = listed
    if found is None and world.clock.now() - one.part.asked_at >= UNANSWERED:
        found = next((known for known in await recorder.of_room(one.room) if part_of(known.path_prefix) == one.part.id), None)
        if found is None:
            await _give_up(world, one.part)
    if found is not None:
        await adopt(world, recorder, one.part.id, found)


async def _give_up(world: World, seen: RecordingPart) -> None:
    """LiveKit names no egress of it. One whose request was cut off is in no list of its room, and may have come and gone all the same: what
    of it is stored counts."""
    async with world.transaction("recording.give_up") as tx, short_waits(tx):
        held, part, now = await hold(tx, seen.recording_id), await part_by_id(tx, seen.id), world.clock.now()
        if held is None or part is None or part.egress_id is not None:
            return
        if await lost(tx, part, SENTENCES[503], now=now):
            await settle(tx, held, now=now)


async def _decide(world: World, seen: RecordingPart, sight: PartSight) -> None:
    """Again, under the locks: somebody may have been faster."""
    async with world.transaction("recording.look") as tx, short_waits(tx):
        held, part = await hold(tx, seen.recording_id), await part_by_id(tx, seen.id)
        if held is None or part is None or part.closed_at is not None or part.final:
            return
        await note_growth(tx, [(part, sight)])
        found = finding(part, sight)
        if found is not None and await _carry_out(tx, part, sight, found, over=held.source.over):
            await settle(tx, held, now=sight.at)


async def _carry_out(tx: Transaction, part: RecordingPart, sight: PartSight, found: Finding, *, over: bool) -> bool:
    match found:
        case "news" if sight.egress is not None:
            return await hear(tx, part, News(sight.egress.status, sight.egress.error_code), now=sight.at, over=over)
        case "left_room":
            return await left_room(tx, part, now=sight.at, over=over)
        case "never_began":
            return await lost(tx, part, NEVER_BEGAN, now=sight.at)
    return await lost(tx, part, BROKE_DOWN, now=sight.at)
