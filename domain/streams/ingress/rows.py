"""A stream's ingress as a value, and the rows that LiveKit's words change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.ports import IngressKind, IngressStatus
from domain.streams.ingress.frame_rates import FrameRates
from domain.world import Transaction
from schema.tables.stream_ingresses import stream_ingresses

INGRESSES: Final = stream_ingresses.c


@dataclass(frozen=True, slots=True)
class StreamIngress:
    """All but the key. Figures are of the time `told_at`; rates are bits a second."""

    id: UUID
    stream_id: UUID
    kind: IngressKind
    identity: str
    ingress_id: str | None
    status: IngressStatus
    publishing_since: datetime | None
    told_at: datetime | None
    missed_at: datetime | None
    video_width: int | None
    video_height: int | None
    video_fps: float | None
    video_fps_before: float | None
    video_fps_best: float | None
    video_fps_steady: float | None
    video_fps_steady_since: datetime | None
    video_bitrate: int | None
    audio_bitrate: int | None
    failed_at: datetime | None
    retired_at: datetime | None
    removed_at: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "StreamIngress":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})

    @property
    def rates(self) -> FrameRates:
        """What the encoder's frame rate is compared with."""
        return FrameRates(self.video_fps_best, self.video_fps_steady, self.video_fps_steady_since)

    @property
    def publishing(self) -> bool:
        """The encoder is in the room and sends: the host is there, by whatever else."""
        return self.status == "publishing" and self.retired_at is None


COLUMNS: Final = tuple(INGRESSES[name] for name in StreamIngress.__slots__)


async def wanted_ingress(tx: Transaction, stream_id: UUID) -> StreamIngress | None:
    """The one that a stream has now; None for one whose host sends from a browser."""
    return await _one(tx, sa.select(*COLUMNS).where(INGRESSES.stream_id == stream_id, INGRESSES.retired_at.is_(None)))


async def by_ingress_id(tx: Transaction, ingress_id: str) -> StreamIngress | None:
    """The one of LiveKit's id, locked until the commit; None for one that is not ours."""
    return await _one(tx, sa.select(*COLUMNS).where(INGRESSES.ingress_id == ingress_id).with_for_update())


async def by_identity(tx: Transaction, identity: str) -> StreamIngress | None:
    """The one in whose place this participant is, locked until the commit."""
    return await _one(tx, sa.select(*COLUMNS).where(INGRESSES.identity == identity).with_for_update())


async def set_ingress(tx: Transaction, ingress: StreamIngress, **values: object) -> None:
    """Writes these columns; whoever follows the stream is told."""
    await tx.connection.execute(sa.update(stream_ingresses).where(INGRESSES.id == ingress.id).values(**values))
    tx.hint(f"stream:{ingress.stream_id}")


async def _one(tx: Transaction, question: sa.Select[tuple[object, ...]]) -> StreamIngress | None:
    row = (await tx.connection.execute(question)).first()
    return None if row is None else StreamIngress.of(row)
