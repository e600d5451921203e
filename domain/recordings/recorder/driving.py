"""Asks LiveKit for what the rows want: egresses begun, egresses ended.

Each wish by itself: LiveKit looks for a worker for some 22 s before it says that there is none, and nobody's pause waits for that.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog

from domain.ports import MediaError, MediaRefused, MediaSilent
from domain.recording_ports import Egress, EgressWanted, Recorder
from domain.recordings.held import Held, hold, part_by_id
from domain.recordings.life_cycle import move_part
from domain.recordings.parts import name_bucket, set_part
from domain.recordings.recorder import wishes
from domain.recordings.recorder.egress_news import OTHERWISE, SENTENCES
from domain.recordings.settling import settle
from domain.short_waits import HeldByAnother, short_waits
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
AT_ONCE: Final = 20
# A stop that was not heard is told again.
TOLD_AGAIN_AFTER: Final = timedelta(seconds=5)


Wish = Callable[[], Coroutine[Any, Any, None]]


async def take_starts(world: World, *, most: int = AT_ONCE) -> Sequence[Wish]:
    """Up to so many of the egresses that are to begin, each to be asked for by calling it. Several processes may take: each wish is taken
    by one.

    Marked before LiveKit is asked: whoever dies in between leaves a part that is looked for at LiveKit, and never asked for twice.
    """
    recorder = world.recorder
    if recorder is None or most <= 0:
        return []
    async with world.transaction("recording.take_starts") as tx:
        wanted = await wishes.take_starts(tx, world.clock.now(), most=most, segment_seconds=world.limits.segment_seconds)
    return [partial(_begin, world, recorder, part_id, egress) for part_id, egress in wanted]


async def take_stops(world: World) -> Sequence[Wish]:
    """The same of egresses that are to end."""
    recorder, now = world.recorder, world.clock.now()
    if recorder is None:
        return []
    async with world.transaction("recording.take_stops") as tx:
        stops = await wishes.take_stops(tx, now, told_before=now - TOLD_AGAIN_AFTER, most=AT_ONCE)
    return [partial(_stop, recorder, part_id, egress_id) for part_id, egress_id in stops]


async def _begin(world: World, recorder: Recorder, part_id: UUID, wanted: EgressWanted) -> None:
    """What nobody can write down now, since somebody holds the call, is found by `watching` later."""
    try:
        await _start(world, recorder, part_id, wanted)
    except HeldByAnother:
        log.info("recording_held", what=f"part {part_id}")


async def _start(world: World, recorder: Recorder, part_id: UUID, wanted: EgressWanted) -> None:
    try:
        egress = await recorder.start(wanted)
    except MediaSilent as error:
        # Perhaps it was begun: `watching` looks for it.
        log.warning("egress_start_unanswered", part_id=str(part_id), error=str(error))
    except MediaError as error:
        log.warning("egress_not_started", part_id=str(part_id), error=str(error))
        await _refused(world, part_id, OTHERWISE if isinstance(error, MediaRefused) else SENTENCES[503])
    else:
        await adopt(world, recorder, part_id, egress)


async def adopt(world: World, recorder: Recorder, part_id: UUID, egress: Egress) -> None:
    """The part has its egress. One that was given up meanwhile wants none: the egress ends."""
    async with world.transaction("recording.adopt") as tx, short_waits(tx):
        held = await _hold_of_part(tx, part_id)
        part = await part_by_id(tx, part_id)
        wanted = held is not None and part is not None and part.written
        if part is not None and part.egress_id is None:
            await set_part(tx, part_id, egress_id=egress.id)
            if held is not None and world.store is not None:
                await name_bucket(tx, held.recording.id, world.store.bucket)
    if not wanted:
        await _stop(recorder, part_id, egress.id)


async def _refused(world: World, part_id: UUID, sentence: str) -> None:
    """LiveKit says that the part has no egress: it failed, and the recording is what follows from that."""
    async with world.transaction("recording.refused") as tx, short_waits(tx):
        held = await _hold_of_part(tx, part_id)
        if held is None:
            return
        now = world.clock.now()
        values = {"closed_at": now, "ended_at": now, "end_reason": "lost", "error_message": sentence}
        if await move_part(tx, part_id, "starting", "failed", now=now, **values):
            await settle(tx, held, now=now, refused=True)


async def _hold_of_part(tx: Transaction, part_id: UUID) -> Held | None:
    part = await part_by_id(tx, part_id)
    return None if part is None else await hold(tx, part.recording_id)


async def _stop(recorder: Recorder, part_id: UUID, egress_id: str) -> None:
    """What LiveKit does not hear is told again, until the watch finds the egress gone."""
    try:
        if not await recorder.stop(egress_id):
            log.info("egress_stop_unanswered", part_id=str(part_id))
    except MediaError as error:
        log.warning("egress_not_stopped", part_id=str(part_id), error=str(error))
