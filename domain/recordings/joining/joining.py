"""Parts joined to one file by stream copy, outside any transaction; of sound alone its own kind of file, which is the one transcode."""

from collections.abc import Sequence
from typing import Final

import structlog

from domain.recording_ports import Joiner, JoinFailed, JoinImpossible, JoinWanted, ObjectStore, StorageError
from domain.recordings.ending.gathering import gather
from domain.recordings.joining import joins
from domain.recordings.joining.joins import JoinInHand
from domain.recordings.names import joined_key
from domain.recordings.rows import RecordingPart, parts_of
from domain.world import World

log = structlog.get_logger(__name__)
NO_PROGRAM: Final = "This deployment has no program that joins parts; the playlist plays all of them."
NOT_JOINED: Final = "The parts could not be joined; the playlist plays all of them."
CUT_OFF: Final = "Joining the parts was cut off each time it was tried; the playlist plays all of them."
# Longer than any join takes.
LINKS_LIVE: Final = 6 * 3600


async def join_due(world: World) -> int:
    """Joins what is due, one recording after the other; returns how many. Each is safe to be cut off anywhere, and begun again."""
    store, joined = world.store, 0
    while store is not None and (join := await joins.take(world)) is not None:
        await _join(world, store, join)
        joined += 1
    return joined


async def _join(world: World, store: ObjectStore, join: JoinInHand) -> None:
    if world.joiner is None:
        await joins.give_up(world, join, NO_PROGRAM)
        return
    if join.too_often:
        log.error("recording_join_given_up", recording_id=str(join.id), tries=joins.MOST_TRIES)
        await joins.give_up(world, join, CUT_OFF)
        return
    try:
        await _make(world, store, world.joiner, join)
    except JoinImpossible as error:
        await joins.give_up(world, join, str(error))
    except (JoinFailed, StorageError) as error:
        log.warning("recording_not_joined", recording_id=str(join.id), attempt=join.attempt, error=str(error))
        if isinstance(error, StorageError):
            await joins.put_off(world, join)
        else:
            await joins.failed(world, join, NOT_JOINED)


async def _make(world: World, store: ObjectStore, joiner: Joiner, join: JoinInHand) -> None:
    async with world.transaction("recording.join_parts") as tx:
        parts = [part for part in await parts_of(tx, join.id) if part.status == "ready" and part.kind == "composite"]
    bucket = parts[0].storage_bucket if parts else None
    store = store.of(bucket)
    wanted = await _wanted(store, parts, bucket, sound=join.type == "audio_only")
    key = joined_key(join.id, "ogg" if wanted.sound else "mp4")

    async def told(percent: int) -> bool:
        return await joins.keep(world, join, percent)

    size = await joiner.join(wanted, key, told)
    if size is not None and not await joins.done(world, join, key, size):
        # Removed or taken over meanwhile: what was just stored is nobody's.
        await store.delete([key])


async def _wanted(store: ObjectStore, parts: Sequence[RecordingPart], bucket: str | None, *, sound: bool) -> JoinWanted:
    links, seconds = [], 0.0
    for part in parts:
        if (keys := part.keys) is None:
            continue
        gathered = await gather(store, part)
        seconds += sum(one.seconds for one in gathered.segments)
        links.append([(store.link(keys.of(one.name), seconds=LINKS_LIVE, inside=True), one.seconds) for one in gathered.segments])
    return JoinWanted(tuple(tuple(part) for part in links if part), seconds, sound, bucket)
