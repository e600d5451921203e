"""A recorder that dies says nothing, and LiveKit's record of it stays ACTIVE for ever: what a part is, is what LiveKit and storage show.

Each part that LiveKit may still write is looked at every 4 s, by one process: its record, what its playlist has grown by, and where that
stands still, whether its egress is in the room at all.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from domain.ports import MediaError
from domain.recording_ports import Egress, ObjectStore, Recorder, StorageError
from domain.recordings.held import hold, part_by_id
from domain.recordings.names import part_of
from domain.recordings.parts import set_part
from domain.recordings.recorder import growth
from domain.recordings.recorder.driving import adopt, give_up
from domain.recordings.recorder.egress_news import SENTENCES, News, hear, left_room, lost
from domain.recordings.recorder.growth import Growth
from domain.recordings.recorder.looked_at import Looked, take_looks
from domain.recordings.rows import RecordingPart
from domain.recordings.settling import BEGINS_WITHIN, settle
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
SEGMENT_SECONDS: Final = 4
# Seconds without a new segment: from then on the room is looked into; then the recorder counts as dead.
SLOW: Final = timedelta(seconds=1.5 * SEGMENT_SECONDS)
DEAD: Final = timedelta(seconds=3 * SEGMENT_SECONDS)
# Absent at two looks so far apart.
ABSENT_FOR: Final = timedelta(seconds=3)
# LiveKit itself gives up looking for a worker after some 22 s.
UNANSWERED: Final = timedelta(seconds=30)
# Who left the room uploads; after a while it is asked whether it still does.
UPLOADS_ALONE_FOR: Final = timedelta(seconds=15)
AT_ONCE: Final = 8
BROKE_DOWN: Final = "The recorder broke down."
NEVER_SENT: Final = "The recorder did not begin."


@dataclass(frozen=True, slots=True)
class PartSight:
    """What LiveKit and storage said of one part at a moment. `egress` is None where LiveKit has no such record.

    `mute`: it should be uploading, and no recorder answers for it.
    """

    egress: Egress | None
    present: bool
    growth: Growth | None
    at: datetime
    mute: bool


async def watch(world: World) -> int:
    """Looks at every part that is due; returns how many. Raises MediaError when LiveKit does not answer: nothing counts as lost then."""
    recorder, store = world.recorder, world.store
    if recorder is None or store is None:
        return 0
    async with world.transaction("recording.take_looks") as tx:
        due = await take_looks(tx, world.clock.now())
    if not due:
        return 0
    active = {egress.id: egress for egress in await recorder.active()}
    by_part = {part_of(egress.path_prefix): egress for egress in active.values()}
    places = asyncio.Semaphore(AT_ONCE)

    async def look(one: Looked) -> None:
        async with places:
            try:
                await _look(world, recorder, store, one, active.get(one.part.egress_id or "") or by_part.get(one.part.id))
            except MediaError as error:
                log.warning("recording_not_looked_at", part_id=str(one.part.id), error=str(error))

    await asyncio.gather(*(look(one) for one in due))
    return len(due)


async def _look(world: World, recorder: Recorder, store: ObjectStore, one: Looked, egress: Egress | None) -> None:
    part = one.part
    if part.egress_id is None:
        await _find(world, recorder, one, egress)
        return
    at = world.clock.now()
    record = egress or await recorder.find(part.egress_id)
    grown = await _growth(store, part) if part.status == "recording" else None
    slow = grown is not None and grown.segments == part.segments and at - (part.segment_at or part.status_since) >= SLOW
    ending = part.stop_told_at is not None and at - part.stop_told_at >= ABSENT_FOR
    present = part.egress_id in await recorder.present(one.room) if slow or ending else True
    mute = part.status == "processing" and at - part.status_since >= UPLOADS_ALONE_FOR and not await recorder.stop(part.egress_id)
    await _take_in(world, part, PartSight(record, present, grown, at, mute))


async def _find(world: World, recorder: Recorder, one: Looked, egress: Egress | None) -> None:
    """A part whose request was not answered: its egress is found by its prefix, or there is none."""
    if one.part.asked_at is None:
        return
    found = egress
    if found is None and world.clock.now() - one.part.asked_at >= UNANSWERED:
        known = await recorder.of_room(one.room)
        found = next((one_of for one_of in known if part_of(one_of.path_prefix) == one.part.id), None)
        if found is None:
            await give_up(world, one.part.id, SENTENCES[503], refused=False)
            return
    if found is not None:
        await adopt(world, recorder, one.part.id, found)


async def _growth(store: ObjectStore, part: RecordingPart) -> Growth | None:
    """None while the store does not answer: then nobody can say whether the recorder lives."""
    try:
        return await growth.read(store, part)
    except StorageError as error:
        log.warning("playlist_not_read", part_id=str(part.id), error=str(error))
        return None


async def _take_in(world: World, seen: RecordingPart, sight: PartSight) -> None:
    async with world.transaction("recording.look") as tx:
        held = await hold(tx, seen.recording_id)
        part = await part_by_id(tx, seen.id)
        if held is None or part is None or part.closed_at is not None or part.final:
            return
        now = world.clock.now()
        if part.status == "recording":
            await set_part(tx, part.id, **_grown(part, sight))
        if await _decide(tx, part, sight, now=now, over=held.call.ended) and (settled := await hold(tx, seen.recording_id)) is not None:
            await settle(tx, settled.call, settled.recording, now=now)


def _grown(part: RecordingPart, sight: PartSight) -> Mapping[str, object]:
    absent = {"absent_since": None if sight.present else part.absent_since or sight.at}
    if sight.growth is None:
        return {"segment_at": sight.at, **absent}
    if sight.growth.segments <= part.segments:
        return absent
    began = {"media_started_at": sight.growth.began_at} if part.media_started_at is None else {}
    return {"segments": sight.growth.segments, "segment_at": sight.at, **began, **absent}


async def _decide(tx: Transaction, part: RecordingPart, sight: PartSight, *, now: datetime, over: bool) -> bool:
    if sight.egress is None:
        return await lost(tx, part, BROKE_DOWN, now=now)
    if sight.egress.final or (sight.egress.status == "active" and part.status == "starting"):
        return await hear(tx, part, News(sight.egress.status, sight.egress.error_code), now=now, over=over)
    if part.status == "starting" and part.asked_at is not None and now - part.asked_at >= BEGINS_WITHIN:
        return await lost(tx, part, NEVER_SENT, now=now)
    if part.status == "recording" and _is_dead(part, sight):
        return await lost(tx, part, BROKE_DOWN, now=now)
    if part.status == "processing":
        return sight.mute and await lost(tx, part, BROKE_DOWN, now=now)
    if part.stop_told_at is not None and not sight.present:
        return await left_room(tx, part, now=now, over=over)
    return False


def _is_dead(part: RecordingPart, sight: PartSight) -> bool:
    if sight.growth is None or sight.growth.segments > part.segments:
        return False
    absent = part.absent_since is not None and not sight.present and sight.at - part.absent_since >= ABSENT_FOR
    return absent or sight.at - (part.segment_at or part.status_since) >= DEAD
