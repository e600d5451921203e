"""reportStreamHealth: what the host's client measures of what it sends, every few seconds."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from domain.errors import InvalidInput, StreamNotLive
from domain.streams.access import access_stream
from domain.streams.health.facts import Limit
from domain.streams.ingress.frame_rates import FrameRates
from domain.world import Transaction, World
from permissions.session import USER_ID, Session
from schema.tables.stream_health import stream_health as table

# Clients report every few seconds.
SILENT: Final = timedelta(seconds=60)
# The most that a report may say of each; nothing is less than 0. Beyond these no encoder sends anything.
MOST: Final = {
    "video_bitrate": 1_000_000_000,
    "audio_bitrate": 10_000_000,
    "width": 16_384,
    "height": 16_384,
    "fps": 1_000,
    "target_fps": 1_000,
    "packet_loss": 1,
}


@dataclass(frozen=True, slots=True)
class ClientReport:
    """None where the client does not know. Rates are bits a second, `packet_loss` is a share of 1."""

    video_bitrate: int | None = None
    audio_bitrate: int | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    target_fps: float | None = None
    packet_loss: float | None = None
    limited_by: Limit | None = None


def topic(stream_id: UUID) -> str:
    """Where whoever follows the stream's health hears of changes."""
    return f"stream_health:{stream_id}"


async def report_stream_health(world: World, session: Session, stream_id: UUID, report: ClientReport) -> None:
    """Keeps the newest report of a stream that starts or is live. For the host and admin.

    Refuses with RateLimited, InvalidInput (a figure that can't be), NotFound, Banned, NotAllowed, StreamNotLive.
    """
    await world.limiter.hit("health", session.variables.get(USER_ID, session.role))
    _require_bounds(report)
    async with world.transaction("report_health.write") as tx:
        access = (await access_stream(tx, world, session, stream_id)).hosting()
        if access.stream.status not in ("starting", "live"):
            raise StreamNotLive
        rates = (await _rates(tx, stream_id, access.now)).heard(report.fps, access.now)
        told = {"reported_at": access.now, **asdict(report)}
        told |= {"best_fps": rates.best, "steady_fps": rates.steady, "steady_since": rates.steady_since}
        row = insert(table).values(stream_id=stream_id, next_look_at=access.now, **told, best_bitrate=report.video_bitrate)
        best = {"best_bitrate": sa.func.greatest(table.c.best_bitrate, row.excluded.best_bitrate)}
        fresh = {name: row.excluded[name] for name in told}
        # Of two that cross on their way the later one stays.
        later = sa.or_(table.c.reported_at.is_(None), table.c.reported_at <= row.excluded.reported_at)
        await tx.connection.execute(row.on_conflict_do_update(index_elements=["stream_id"], set_=fresh | best, where=later))
        tx.hint(topic(stream_id))


async def _rates(tx: Transaction, stream_id: UUID, now: datetime) -> FrameRates:
    """What its frame rates are compared with; how steady they were is not known of a client that was silent."""
    mine = sa.select(table.c.best_fps, table.c.steady_fps, table.c.steady_since, table.c.reported_at).where(table.c.stream_id == stream_id)
    await tx.connection.execute(insert(table).values(stream_id=stream_id, next_look_at=now).on_conflict_do_nothing())
    row = (await tx.connection.execute(mine.with_for_update())).one()
    heard = row.reported_at is not None and now - row.reported_at <= SILENT
    return FrameRates(row.best_fps, row.steady_fps, row.steady_since) if heard else FrameRates(row.best_fps)


def _require_bounds(report: ClientReport) -> None:
    """What is no number is in no bounds either."""
    for name, most in MOST.items():
        value = getattr(report, name)
        if value is not None and not 0 <= value <= most:
            raise InvalidInput(f"stats: a figure is less than 0, or more than any encoder sends ({name}: {most}).")
