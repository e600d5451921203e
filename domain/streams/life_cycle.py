"""The life of a stream: the allowed steps as data, and the guarded update that walks them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from domain.calls import events
from domain.streams.rows import Stream, StreamStatus
from domain.world import Transaction
from schema.tables.streams import streams

TOPIC: Final = f"table:{streams.name}"

STREAM_STEPS: Final[Mapping[StreamStatus, frozenset[StreamStatus]]] = {
    "scheduled": frozenset({"starting", "cancelled"}),
    "starting": frozenset({"live", "cancelled"}),
    "live": frozenset({"ending"}),
    "ending": frozenset({"ended"}),
    "ended": frozenset(),
    "cancelled": frozenset(),
}


async def move_stream(tx: Transaction, stream: Stream, to: StreamStatus, *, now: datetime, **values: object) -> bool:
    """Takes the step if the stream still stands where it was read; False, with nothing written, when another was faster.

    ValueError for a step that the life cycle lacks. `values` are further columns of the same update.
    """
    if to not in STREAM_STEPS[stream.status]:
        raise ValueError(f"no such step of a stream: {stream.status} to {to}")
    mine = sa.update(streams).where(streams.c.id == stream.id, streams.c.status == stream.status)
    moved = await tx.connection.execute(mine.values(status=to, status_since=now, **values).returning(streams.c.id))
    if moved.first() is None:
        return False
    changed(tx, stream)
    return True


async def set_stream(tx: Transaction, stream: Stream, **values: object) -> None:
    """Columns of a locked stream that are no step of its life."""
    await tx.connection.execute(sa.update(streams).where(streams.c.id == stream.id).values(**values))
    changed(tx, stream)


def changed(tx: Transaction, stream: Stream) -> None:
    """Tells those who watch the stream, or the call that it broadcasts, that something is new."""
    tx.hint(f"stream:{stream.id}")
    tx.hint(TOPIC)
    if stream.call_id is not None:
        events.changed(tx, stream.call_id)
