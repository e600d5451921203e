"""The row of a stream follows the tallies of its audience, at most a second late and at most twice a second."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from domain.world import Transaction, World
from schema.tables.stream_audiences import stream_tallies as tallies
from schema.tables.streams import streams

# Seconds. Between two writes of one row, whatever the number of processes.
REST: Final = 0.5
BATCH: Final = 200
_NOW: Final = sa.func.clock_timestamp()
_DUE: Final = sa.and_(sa.not_(tallies.c.told), tallies.c.told_at <= _NOW - sa.literal(timedelta(seconds=REST), sa.Interval))
_IDS: Final = sa.any_(sa.bindparam("ids", type_=pg.ARRAY(pg.UUID())))
# The stream first and then its tallies, as whoever joins or ends it. What somebody holds is for the next time.
_TAKE: Final = (
    sa.select(streams.c.id)
    .where(streams.c.id.in_(sa.select(tallies.c.stream_id).where(_DUE)))
    .order_by(streams.c.id)
    .limit(BATCH)
    .with_for_update(key_share=True, skip_locked=True)
)
_LOCK: Final = sa.select(tallies.c.stream_id).where(tallies.c.stream_id == _IDS, _DUE).order_by(tallies.c.stream_id).with_for_update()
_COUNTS: Final = {
    streams.c.viewer_count: tallies.c.viewers,
    streams.c.peak_viewers: tallies.c.peak_viewers,
    streams.c.total_views: tallies.c.total_views,
    streams.c.total_reactions: tallies.c.total_reactions,
}
_DIFFERENT: Final = sa.or_(*(column != tally for column, tally in _COUNTS.items()))
_WRITE: Final = (
    sa.update(streams).where(streams.c.id == tallies.c.stream_id, streams.c.id == _IDS, _DIFFERENT).values(_COUNTS).returning(streams.c.id)
)
_TOLD: Final = sa.update(tallies).where(tallies.c.stream_id == _IDS).values(told=True, told_at=_NOW)


async def tell_counts(world: World) -> None:
    """Every stream whose tallies say something else. Safe on several workers: of two the later finds nothing to do."""
    done = BATCH
    while done == BATCH:
        async with world.transaction("streams.tell_counts") as tx:
            taken = [row.id for row in await tx.connection.execute(_TAKE)]
            done = len(taken)
            if taken:
                await _tell(tx, taken)


async def _tell(tx: Transaction, taken: list[UUID]) -> None:
    ids = [row.stream_id for row in await tx.connection.execute(_LOCK, {"ids": taken})]
    changed = [row.id for row in await tx.connection.execute(_WRITE, {"ids": ids})]
    await tx.connection.execute(_TOLD, {"ids": ids})
    for stream_id in changed:
        tx.hint(f"stream:{stream_id}")
    if changed:
        tx.hint(f"table:{streams.name}")
