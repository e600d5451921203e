"""clipStream: up to two minutes of what is recorded become a recording of their own."""

import math
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from domain.errors import InvalidInput, MediaUnavailable, NotRecording
from domain.input_checks import require_text
from domain.recording_ports import StorageError
from domain.recordings.clips.plans import ClipPlan, planned
from domain.recordings.clips.ranges import SLACK, cut, length
from domain.recordings.clips.writing import NewClip, write_clip
from domain.recordings.playing.part_segments import KnownSegments
from domain.recordings.playing.playlist import compose
from domain.streams.clips.sources import ClipSource, clippable, played
from domain.world import World
from permissions.session import Session

LONGEST: Final = 120.0
LONGEST_TITLE: Final = 200
GONE: Final = "What it would be a clip of is gone."
TIER: Final = "x-hasura-tier"


@dataclass(frozen=True, slots=True)
class ClipWanted:
    """Of a stream or of a recording, one of them; seconds of its playlist's time line. Without a title it has its source's."""

    stream_id: UUID | None
    recording_id: UUID | None
    begins: float
    ends: float
    title: str | None


@dataclass(frozen=True, slots=True)
class ClipResult:
    clip_id: UUID


async def clip_stream(world: World, session: Session, wanted: ClipWanted) -> ClipResult:
    """Writes the clip down, for whoever hosts or moderates the stream or owns the recording, and answers at once; a job has it copied.

    Refuses with InvalidInput, RateLimited, NotFound, Banned, NotAllowed, NotRecording (not uploaded yet, or gone), and MediaUnavailable
    where the store can't be reached.
    """
    _require_sense(wanted)
    await world.limiter.hit("clip", str(session.user_id))
    async with world.transaction("clip_stream.look") as tx:
        source = await clippable(tx, world, session, wanted.stream_id, wanted.recording_id)
    clip = NewClip(uuid4(), source.recording_id, session.user_id, wanted.begins, wanted.ends, wanted.title, session.variables.get(TIER))
    plan = await _plan(world, session, source, clip)
    async with world.transaction("clip_stream.write") as tx:
        # Again: the store took its time.
        again = await clippable(tx, world, session, wanted.stream_id, wanted.recording_id)
        if again != source or not await write_clip(tx, clip, plan, world.clock.now()):
            raise NotRecording(GONE)
    return ClipResult(clip.id)


def _require_sense(wanted: ClipWanted) -> None:
    if (wanted.stream_id is None) == (wanted.recording_id is None):
        raise InvalidInput("Either streamId or recordingId is needed.")
    if not (math.isfinite(wanted.begins) and math.isfinite(wanted.ends)) or not 0 <= wanted.begins < wanted.ends:
        raise InvalidInput("from and to are seconds from the beginning, and from is the smaller one.")
    if wanted.ends - wanted.begins > LONGEST:
        raise InvalidInput(f"A clip has at most {LONGEST:.0f} seconds.")
    if wanted.title is not None:
        require_text("title", wanted.title, LONGEST_TITLE)


async def _plan(world: World, session: Session, source: ClipSource, clip: NewClip) -> ClipPlan:
    """Which segments it is made of, by what is uploaded now."""
    if world.store is None:
        raise MediaUnavailable("Recording is switched off.")
    found = await played(world, session, source)
    if found is None:
        raise NotRecording(GONE)
    recording, parts = found
    try:
        whole = await compose(KnownSegments(world.store, time.monotonic), parts, ended=recording.final)
    except StorageError as error:
        raise MediaUnavailable("The store does not answer; try again.") from error
    seconds = length(whole)
    if clip.ends > seconds + SLACK:
        raise NotRecording(f"{seconds:.0f} seconds are there{'' if whole.ended else ' by now'}.")
    ranges = cut(whole, clip.begins, clip.ends)
    if not ranges:
        raise NotRecording("Nothing of it is stored.")
    return planned(clip.id, ranges, parts)
