"""Sessions that end by themselves: nothing was heard of them for too long, or their stream is over."""

from dataclasses import dataclass
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
# Seconds between two turns after which this process may have heard nobody meanwhile. Turns come every second.
BREAK: Final = 5.0
BATCH: Final = 500


@dataclass(slots=True)
class Listening:
    """A process that hears heartbeats. Silence counts only where it could have been broken: nobody is lost before this process has
    listened for as long without a break, a start, a standstill and a database that does not answer being one.

    Each process asks itself alone: while one of several listens, whoever watches is heard by that one.
    """

    world: World
    since: datetime | None = None
    turned_at: datetime | None = None

    async def end_lost(self) -> None:
        """What is due at a turn, some at a time; safe on several workers: each takes what nobody holds. `turned_at` is the last one that
        the database answered."""
        now = self.world.clock.now()
        if self.since is None or self.turned_at is None or now - self.turned_at > timedelta(seconds=BREAK):
            self.since = now
        await end_over(self.world)
        if now - self.since > timedelta(seconds=SILENT_FOR):
            await end_silent(self.world)
        self.turned_at = self.world.clock.now()


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
