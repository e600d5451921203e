"""Room and playlist of each running stream, looked at every few seconds by one process, and written down for whoever asks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
import structlog

from domain.ports import MediaError, Track
from domain.recording_ports import StorageError
from domain.recordings.names import playlist_key
from domain.recordings.playlists import Segment, segments_of
from domain.streams.health.facts import Sent
from domain.streams.health.reports import topic
from domain.world import Transaction, World

log = structlog.get_logger(__name__)
EVERY: Final = timedelta(seconds=4)
LOOK: Final = 200
AT_ONCE: Final = 8
# Some ten segments' worth of a playlist, of which the last few are compared.
TAIL_BYTES: Final = 1024
COMPARED: Final = 4
PICTURES: Final = ("camera", "screen_share")
SOUNDS: Final = ("microphone", "screen_share_audio")
BEGIN: Final = sa.text("""
    INSERT INTO nchat_stream_health (stream_id, next_look_at)
    SELECT stream.id, CAST(:now AS timestamptz) FROM nchat_streams AS stream WHERE stream.status IN ('starting', 'live')
        AND NOT EXISTS (SELECT FROM nchat_stream_health AS health WHERE health.stream_id = stream.id)
    ON CONFLICT DO NOTHING
""")
TAKE: Final = sa.text("""
    WITH due AS (
        SELECT health.stream_id FROM nchat_stream_health AS health JOIN nchat_streams AS stream ON stream.id = health.stream_id
        WHERE stream.status IN ('starting', 'live') AND health.next_look_at <= :now
        ORDER BY health.next_look_at LIMIT :look FOR UPDATE OF health SKIP LOCKED
    ), taken AS (
        UPDATE nchat_stream_health AS health SET next_look_at = :next FROM due WHERE health.stream_id = due.stream_id
        RETURNING health.stream_id
    )
    SELECT stream.id, stream.room_name, part.path_prefix, recording.storage_bucket
    FROM taken JOIN nchat_streams AS stream ON stream.id = taken.stream_id
        LEFT JOIN nchat_call_recordings AS recording ON recording.stream_id = stream.id AND recording.status IN ('starting', 'recording')
        LEFT JOIN nchat_call_recording_parts AS part
            ON part.recording_id = recording.id AND part.kind = 'composite' AND part.status = 'recording'
""")
NOTE: Final = sa.text("""
    UPDATE nchat_stream_health SET looked_at = :at, room_video = :video, room_audio = :audio, media_share = :share WHERE stream_id = :stream
""")


@dataclass(frozen=True, slots=True)
class LookedStream:
    """A running stream, its room and the playlist that its recorder writes now."""

    id: UUID
    room_name: str
    path_prefix: str | None
    storage_bucket: str | None


async def look_at_streams(world: World) -> int:
    """Looks at every running stream that is due; returns how many. What does not answer is not known, and holds up nobody."""
    async with world.transaction("stream_health.take") as tx:
        await tx.connection.execute(BEGIN, {"now": world.clock.now()})
        due = await _take(tx, world)
    places = asyncio.Semaphore(AT_ONCE)

    async def look(stream: LookedStream) -> None:
        async with places:
            await _look(world, stream)

    await asyncio.gather(*(look(one) for one in due))
    return len(due)


async def _take(tx: Transaction, world: World) -> Sequence[LookedStream]:
    now = world.clock.now()
    found = await tx.connection.execute(TAKE, {"now": now, "next": now + EVERY, "look": LOOK})
    return list({row.id: LookedStream(**row._mapping) for row in found}.values())


async def _look(world: World, stream: LookedStream) -> None:
    tracks, share = await asyncio.gather(_tracks(world, stream), _share(world, stream))
    row = {
        "stream": stream.id,
        "at": world.clock.now(),
        "video": None if tracks is None else _sent(tracks, PICTURES),
        "audio": None if tracks is None else _sent(tracks, SOUNDS),
        "share": share,
    }
    async with world.transaction("stream_health.note") as tx:
        await tx.connection.execute(NOTE, row)
        tx.hint(topic(stream.id))


async def _tracks(world: World, stream: LookedStream) -> Sequence[Track] | None:
    try:
        people = await world.rooms.list_participants(stream.room_name)
    except MediaError as error:
        log.info("stream_room_not_seen", stream_id=str(stream.id), error=str(error))
        return None
    return [track for person in people for track in person.tracks]


def _sent(tracks: Sequence[Track], sources: Sequence[str]) -> Sent:
    mine = [track for track in tracks if track.source in sources]
    if any(not track.muted for track in mine):
        return "sent"
    return "muted" if mine else "absent"


async def _share(world: World, stream: LookedStream) -> float | None:
    if world.store is None or stream.path_prefix is None:
        return None
    try:
        found = await world.store.of(stream.storage_bucket).read(playlist_key(stream.path_prefix), last=TAIL_BYTES)
    except StorageError as error:
        log.info("stream_playlist_not_seen", stream_id=str(stream.id), error=str(error))
        return None
    return media_share(segments_of(found or b""))


def media_share(segments: Sequence[Segment]) -> float | None:
    """How much media the last segments hold, as a share of the time from the first one's beginning to the last one's; None for fewer than
    three whose times are known."""
    last = [segment for segment in segments[-COMPARED:] if segment.began_at is not None]
    if len(last) < 3 or last[0].began_at is None or last[-1].began_at is None:
        return None
    took = (last[-1].began_at - last[0].began_at).total_seconds()
    return sum(segment.seconds for segment in last[:-1]) / took if took > 0 else None
