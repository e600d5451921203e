"""A destination as a value, for whoever hosts its stream."""

from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row

from domain.errors import NotFound, StreamNotLive
from domain.streams.access import StreamAccess, access_stream
from domain.streams.rows import Stream, StreamStatus
from domain.world import Transaction, World
from permissions.session import Session
from schema.model import TableName
from schema.tables.stream_destinations import stream_destinations as table

DestinationStatus = Literal["pending", "connecting", "connected", "disconnected", "error"]
DESTINATIONS: Final = TableName("public", table.name)
# Whoever sends, and who looks at what is sent, hears of changes here.
TOPIC: Final = "stream_outputs"
# Streams that are still sent, or will be.
OPEN: Final[tuple[StreamStatus, ...]] = ("scheduled", "starting", "live")


@dataclass(frozen=True, slots=True)
class Destination:
    id: UUID
    stream_id: UUID
    platform: str
    rtmp_url: str
    stream_key_encrypted: str = field(repr=False)
    enabled: bool
    status: DestinationStatus

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> "Destination":
        values = row._mapping
        return cls(**{name: values[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class DestinationAccess:
    """A host's access to a destination of a locked stream."""

    stream: StreamAccess
    destination: Destination


async def access_destination(tx: Transaction, world: World, session: Session, destination_id: UUID) -> DestinationAccess:
    """Locks the stream, then the destination, for the stream's host and the role admin; NotFound for everybody else, as for one that is
    not there: destinations are the host's alone."""
    seen = sa.select(table.c.stream_id).where(table.c.id == destination_id, world.readable(session, DESTINATIONS, table))
    stream_id = await tx.connection.scalar(seen)
    if stream_id is None:
        raise NotFound
    stream = (await access_stream(tx, world, session, stream_id, locking=True)).hosting()
    row = (await tx.connection.execute(sa.select(table).where(table.c.id == destination_id).with_for_update())).first()
    if row is None:
        raise NotFound
    return DestinationAccess(stream, Destination.of(row))


def require_open(stream: Stream) -> None:
    """StreamNotLive for one that is over: it is sent nowhere any more."""
    if stream.status not in OPEN:
        raise StreamNotLive("The stream is over.")


def changed(tx: Transaction) -> None:
    """The host's live queries, and whoever sends, look again."""
    tx.hint(f"table:{table.name}")
    tx.hint(TOPIC)
