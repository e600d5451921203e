"""One look at one part: what LiveKit and storage show of it, and what that means."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from domain.recording_ports import Egress, ObjectStore, Recorder, StorageError
from domain.recordings.recorder import growth
from domain.recordings.recorder.growth import Growth
from domain.recordings.recorder.looked_at import Looked
from domain.recordings.rows import RecordingPart
from domain.recordings.settling import BEGINS_WITHIN

log = structlog.get_logger(__name__)
# Segments' lengths without a new one: from then on the room is looked into; then the recorder counts as dead.
SLOW: Final = 1.5
DEAD: Final = 3.0
# Shorter ones make no upload quicker, and nobody looks more often.
SHORTEST: Final = 4
# Absent at two looks so far apart.
ABSENT_FOR: Final = timedelta(seconds=3)
# Who left the room uploads; after a while it is asked whether it still does.
UPLOADS_ALONE_FOR: Final = timedelta(seconds=15)
# What a look may find: nothing is to be done (None), or one of these.
Finding = Literal["news", "never_began", "broke_down", "left_room"]


@dataclass(frozen=True, slots=True)
class PartSight:
    """What LiveKit and storage said of one part at a moment. `egress` is None where LiveKit has no such record.

    `growth` is None where storage was not asked, or did not answer. `mute`: it should be uploading, and no recorder answers for it.
    """

    egress: Egress | None
    present: bool
    growth: Growth | None
    at: datetime
    mute: bool


async def see(recorder: Recorder, store: ObjectStore, one: Looked, listed: Egress | None, at: datetime) -> PartSight:
    """Looks as closely as there is reason to; `listed` is its record among those that run. Raises MediaError."""
    part, egress_id = one.part, one.part.egress_id or ""
    record = listed or await recorder.find(egress_id)
    grown = await _growth(store, part) if part.status == "recording" else None
    slow = grown is not None and grown.segments == part.segments and _stands_still(part, at, SLOW)
    ending = part.stop_told_at is not None and at - part.stop_told_at >= ABSENT_FOR
    present = egress_id in await recorder.present(one.room) if slow or ending else True
    mute = part.status == "processing" and at - part.status_since >= UPLOADS_ALONE_FOR and not await recorder.stop(egress_id)
    return PartSight(record, present, grown, at, mute)


def finding(part: RecordingPart, sight: PartSight) -> Finding | None:
    """What the look says of the part as it stands now."""
    if sight.egress is None:
        return "broke_down"
    if sight.egress.final or (sight.egress.status == "active" and part.status == "starting"):
        return "news"
    if part.status == "starting" and part.asked_at is not None and sight.at - part.asked_at >= BEGINS_WITHIN:
        return "never_began"
    if part.status == "processing":
        return "broke_down" if sight.mute else None
    if part.status == "recording" and _is_dead(part, sight):
        return "broke_down"
    return "left_room" if part.stop_told_at is not None and not sight.present else None


def _is_dead(part: RecordingPart, sight: PartSight) -> bool:
    if sight.growth is None or sight.growth.segments > part.segments:
        return False
    absent = part.absent_since is not None and not sight.present and sight.at - part.absent_since >= ABSENT_FOR
    return absent or _stands_still(part, sight.at, DEAD)


def _stands_still(part: RecordingPart, at: datetime, segments: float) -> bool:
    """For the time of so many segments nothing new was seen."""
    waited = timedelta(seconds=segments * max(part.segment_seconds, SHORTEST))
    return at - (part.segment_at or part.status_since) >= waited


async def _growth(store: ObjectStore, part: RecordingPart) -> Growth | None:
    """None while the store does not answer, and where it is not known what to look at: then nobody can say whether the recorder lives."""
    if part.path_prefix is None:
        return None
    try:
        return await growth.read(store, part, part.path_prefix)
    except StorageError as error:
        log.warning("playlist_not_read", part_id=str(part.id), error=str(error))
        return None
