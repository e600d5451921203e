"""Streams in the state that a test wants, and what is known of their audience."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
import pytest

from app.adapters.batches import open_batches
from app.database.transactions import EngineTransactions, open_engine
from domain.errors import ActionError
from domain.streams.viewers.joining import Joined, join_stream
from domain.streams.viewers.lost import end_over, end_silent
from domain.world import World
from permissions.session import Session
from tests.support.domain_setup import ALICE, GENERAL, Setup
from tests.support.dump import dump

ANYBODY = Session("anonymous", {"x-hasura-role": "anonymous"})
STREAM = """INSERT INTO nchat_streams (channel_id, host_id, title, visibility, status, started_at)
    VALUES ($1, $2, 'a stream', $3, $4, now()) RETURNING id"""
INVITE = "INSERT INTO nchat_stream_invites (stream_id, user_id, invited_by) VALUES ($1, $2, $3)"
BAN = "INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) VALUES ($1, $2, $3)"
TALLIES = "SELECT viewers, peak_viewers, total_views, total_reactions FROM nchat_stream_tallies WHERE stream_id = $1"
COUNTS = "SELECT viewer_count, peak_viewers, total_views, total_reactions FROM nchat_streams WHERE id = $1"
ROWS = """SELECT count(*) FILTER (WHERE left_at IS NULL) AS viewers, count(*) AS total FROM nchat_stream_viewers WHERE stream_id = $1"""


@dataclass(frozen=True, slots=True)
class Counts:
    viewers: int
    peak: int
    views: int
    reactions: int = 0


async def live(on: Setup, visibility: str = "public", *, host: UUID = ALICE, status: str = "live") -> UUID:
    """A stream of the channel general."""
    stream_id: UUID = await on.database.fetchval(STREAM, GENERAL, host, visibility, status)
    return stream_id


async def invited(on: Setup, stream_id: UUID, user_id: UUID) -> None:
    await on.database.execute(INVITE, stream_id, user_id, ALICE)


async def banned(on: Setup, stream_id: UUID, user_id: UUID) -> None:
    await on.database.execute(BAN, stream_id, user_id, ALICE)


async def tallies(on: Setup, stream_id: UUID) -> Counts:
    """As they are counted."""
    return await _counts(on, TALLIES, stream_id)


async def counts(on: Setup, stream_id: UUID) -> Counts:
    """As the stream's row has them."""
    return await _counts(on, COUNTS, stream_id)


async def _counts(on: Setup, sql: str, stream_id: UUID) -> Counts:
    row = await on.database.fetchrow(sql, stream_id)
    assert row is not None
    return Counts(*row)


async def end_lost(world: World) -> None:
    """As a process that has listened for long enough."""
    await end_over(world)
    await end_silent(world)


async def watching(on: Setup, stream_id: UUID) -> tuple[int, int]:
    """Sessions that watch, and all there ever were, from the rows themselves."""
    row = await on.database.fetchrow(ROWS, stream_id)
    assert row is not None
    return row["viewers"], row["total"]


async def viewer(on: Setup, viewer_id: UUID) -> asyncpg.Record:
    row = await on.database.fetchrow("SELECT * FROM nchat_stream_viewers WHERE id = $1", viewer_id)
    assert row is not None
    return row


async def joins(on: Setup, who: Session, stream_id: UUID, *, webrtc: bool = False) -> Joined:
    return await join_stream(on.world, who, stream_id, webrtc=webrtc, principal="address 192.0.2.1")


async def seconds(row: asyncpg.Record) -> float:
    """How long the session watched, by its times."""
    watched: float = (row["left_at"] - row["joined_at"]).total_seconds()
    return watched


async def refused(on: Setup, asked: Awaitable[object], by: type[ActionError] = ActionError) -> ActionError:
    """The refusal, after a look that no row changed, nobody was told and LiveKit was asked nothing."""
    on.rooms.asked.clear()
    on.publisher.topics()
    before = await dump(on.database)
    with pytest.raises(by) as refusal:
        await asked
    assert await dump(on.database) == before
    assert on.publisher.topics() == set()
    assert on.rooms.asked == {}
    return refusal.value


@asynccontextmanager
async def processes(on: Setup, many: int = 2) -> AsyncIterator[list[World]]:
    """Worlds with connections and batches of their own, on one database."""
    async with AsyncExitStack() as stack:
        engines = [await stack.enter_async_context(open_engine(on.url, pool_size=8)) for _ in range(many)]
        batches = [await stack.enter_async_context(open_batches()) for _ in range(many)]
        parts = zip(engines, batches, strict=True)
        yield [replace(on.world, transaction=EngineTransactions(engine, on.publisher), batches=some) for engine, some in parts]
