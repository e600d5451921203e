"""Sessions that end by themselves: nothing was heard of them for too long, or their stream is over."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from domain.streams.rows import OVER
from domain.streams.viewers.rows import WATCHES, ended, moment
from domain.world import World
from schema.tables.stream_viewers import stream_viewers as viewers
from schema.tables.streams import streams

# Seconds without a heartbeat.
SILENT_FOR: Final = 45.0
BATCH: Final = 500


async def end_lost(world: World) -> None:
    """Ends all that are due, some at a time. Safe on several workers: each takes what nobody holds."""
    await end_over(world)
    await end_silent(world)


async def end_silent(world: World) -> None:
    """A session watched until it was last heard of: what came after nobody knows."""
    silent_since = world.clock.now() - timedelta(seconds=SILENT_FOR)
    due = sa.select(viewers.c.id).where(WATCHES, viewers.c.seen_at < silent_since)
    await _end_all(world, "silent", due, viewers.c.seen_at)


async def end_over(world: World) -> None:
    """Nobody watches a stream that is over; each watched until it ended."""
    over = sa.select(viewers.c.id).join(streams, streams.c.id == viewers.c.stream_id).where(WATCHES, streams.c.status.in_(OVER))
    ended_at = sa.select(streams.c.ended_at).where(streams.c.id == viewers.c.stream_id).scalar_subquery()
    await _end_all(world, "over", over, sa.func.coalesce(ended_at, moment(world.clock.now())))


async def _end_all(world: World, why: str, due: sa.Select[tuple[UUID]], at: sa.ColumnElement[datetime]) -> None:
    some = due.order_by(viewers.c.id).limit(BATCH).with_for_update(of=viewers, skip_locked=True, key_share=True).cte("due")
    end = sa.update(viewers).where(viewers.c.id == some.c.id, WATCHES).values(**ended(at))
    done = BATCH
    while done == BATCH:
        async with world.transaction(f"viewers.{why}") as tx:
            done = (await tx.connection.execute(end)).rowcount
