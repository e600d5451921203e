"""streamHealth: what is known of a stream now, and again whenever it is something else. For the host, and admin."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.streams.access import StreamAccess, access_stream
from domain.streams.health.facts import ClientFacts, Facts, IngressFacts, Measured, RoomFacts, SegmentFacts
from domain.streams.health.reports import topic
from domain.streams.health.verdict import Health, health
from domain.streams.ingress.rows import StreamIngress, wanted_ingress
from domain.world import Transaction, World
from permissions.session import Session
from schema.tables.stream_health import stream_health as table

# Seconds between two looks of one who follows, when nothing is told.
LOOK_EVERY: Final = 2.0
# GraphQL's whole numbers end here.
LARGEST: Final = 2**31 - 1
SEGMENTS: Final = sa.text("""
    SELECT max(part.segment_at) AS newest_at, max(part.segment_seconds) AS seconds FROM nchat_call_recording_parts AS part
        JOIN nchat_call_recordings AS recording ON recording.id = part.recording_id
    WHERE recording.stream_id = :stream AND part.kind = 'composite' AND recording.status IN ('starting', 'recording', 'processing')
""")


async def stream_health(world: World, session: Session, stream_id: UUID) -> Health:
    """Refuses with NotFound, Banned, NotAllowed (neither host nor admin)."""
    async with world.transaction("stream_health.read") as tx:
        access = (await access_stream(tx, world, session, stream_id)).hosting()
        return health(await _facts(tx, access))


async def follow_health(world: World, stream_id: UUID, look: Callable[[], Awaitable[Health]]) -> AsyncGenerator[Health, None]:
    """First what it is now, then each time that it is different. `look` is `stream_health` for the one who follows: what it refuses with
    ends this, also later."""
    known: Health | None = None
    async with world.hub.follow([topic(stream_id)]) as following:
        while True:
            found = await look()
            if found != known:
                yield found
            known = found
            await following.changed(LOOK_EVERY)


async def _facts(tx: Transaction, access: StreamAccess) -> Facts:
    stream = access.stream
    row = (await tx.connection.execute(sa.select(table).where(table.c.stream_id == stream.id))).first()
    ingress = await wanted_ingress(tx, stream.id)
    seen = (await tx.connection.execute(SEGMENTS, {"stream": stream.id})).one()
    return Facts(
        now=access.now,
        status=stream.status,
        host_gone_since=stream.host_gone_since,
        client=None if row is None else _client(row),
        ingress=None if ingress is None else _ingress(ingress),
        segments=None if seen.newest_at is None else SegmentFacts(seen.newest_at, None if row is None else row.media_share, seen.seconds),
        room=None if row is None or row.room_video is None else RoomFacts(row.looked_at, row.room_video, row.room_audio),
    )


def _client(row: Row[Any]) -> ClientFacts | None:
    if row.reported_at is None:
        return None
    measured = Measured(row.reported_at, row.video_bitrate, row.audio_bitrate, row.width, row.height, row.fps)
    return ClientFacts(measured, row.target_fps, row.packet_loss, row.limited_by, row.best_fps, row.best_bitrate)


def _ingress(ingress: StreamIngress) -> IngressFacts:
    if ingress.told_at is None:
        return IngressFacts(ingress.status)
    measured = Measured(
        since=ingress.told_at,
        video_bitrate=_whole(ingress.video_bitrate),
        audio_bitrate=_whole(ingress.audio_bitrate),
        width=_whole(ingress.video_width),
        height=_whole(ingress.video_height),
        fps=ingress.video_fps,
    )
    settled = ingress.rates.settled(ingress.told_at)
    return IngressFacts(ingress.status, measured, ingress.video_fps_before, ingress.video_fps_best, settled)


def _whole(figure: int | None) -> int | None:
    """LiveKit says 0 of what it has not measured yet."""
    return min(figure, LARGEST) if figure else None
