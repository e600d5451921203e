"""Killed at any commit and at any call of LiveKit: what the next process finds is counted right, and nobody stays in the room."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from random import Random

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.streams.reactions import react
from domain.streams.reactions.react import Reaction
from domain.streams.viewers import heartbeats, joining
from domain.streams.viewers.heartbeats import Heartbeat
from domain.streams.viewers.invitations import invite_to_stream, uninvite_from_stream
from domain.streams.viewers.joining import NewViewer
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.listing import stream_viewers
from domain.streams.viewers.lost import SILENT_FOR
from domain.streams.viewers.out_of_room import note_closed_rooms, take_out
from domain.streams.viewers.rows import hashed
from domain.streams.viewers.telling import tell_counts
from domain.streams.viewers.unseeing.rounds import end_unseeing_in_rooms
from domain.world import World
from tests.streams.audience.live_streams import counts, end_lost, live, tallies, watching
from tests.streams.audience.test_counts import due
from tests.support.call_sites import DOMAIN, transactions
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.kill_points import KillableRooms, Killed, KillPoints
from tests.trials.scale import SEED, WHOLE

pytestmark = pytest.mark.anyio
ROOMS = [DOMAIN / "streams" / name for name in ("viewers", "reactions")]
SOURCES: list[Path] = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]
# Among all the other tests.
SAMPLE = 6


@asynccontextmanager
async def process(on: Setup, points: KillPoints) -> AsyncIterator[World]:
    """A service process with connections of its own, that dies where `points` says."""
    async with open_engine(on.url) as engine:
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher, points), rooms=KillableRooms(on.rooms, points))


async def life(on: Setup, world: World) -> None:
    """All that can happen to an audience; what is written in batches is written at once."""
    stream_id = await on.database.fetchval("SELECT id FROM nchat_streams")
    await invite_to_stream(world, session(ALICE), stream_id, [BOB, CAROL, DAVE])
    joined = {who: NewViewer(session(who), hashed(f"the secret of {who}"), webrtc=True) for who in (ALICE, BOB, CAROL, DAVE)}
    await joining.write(world, stream_id, list(joined.values()))
    room = await on.database.fetchval("SELECT room_name FROM nchat_streams")
    for one in joined.values():
        on.rooms.join(room, f"viewer:{one.viewer_id}")
    await react.write(world, stream_id, [Reaction(session(BOB), BOB, "like"), Reaction(session(CAROL), CAROL, "fire")])
    await stream_viewers(world, session(ALICE), stream_id)
    await leave_stream(world, session(BOB), f"the secret of {BOB}")
    await uninvite_from_stream(world, session(ALICE), stream_id, [CAROL])
    await on.database.execute("DELETE FROM nchat_stream_invites WHERE user_id = $1", DAVE)
    on.clock.advance(SILENT_FOR - 1)
    await heartbeats.write(world, [Heartbeat(session(ALICE), ALICE, joined[ALICE].hash)])
    on.rooms.unanswered = {f"viewer:{joined[BOB].viewer_id}"}
    await take_out(world)
    on.rooms.broken, on.rooms.unanswered = {"list_participants"}, set()
    await end_unseeing_in_rooms(world)
    await take_out(world)
    on.rooms.broken = set()
    await jobs(on, world)
    on.clock.advance(SILENT_FOR + 1)
    await jobs(on, world)


async def jobs(on: Setup, world: World) -> None:
    on.clock.advance(0.5)
    await end_unseeing_in_rooms(world)
    await end_lost(world)
    await due(on)
    await tell_counts(world)
    await take_out(world)
    await note_closed_rooms(world)


async def all_points(on: Setup) -> list[str]:
    points = KillPoints()
    async with process(on, points) as world:
        await life(on, world)
    return points.passed


# All of them are some 70 points.
@pytest.mark.timeout(300)
async def test_whatever_point_it_dies_at(on: Setup, request: pytest.FixtureRequest) -> None:
    """By `NCHAT_TRIALS=whole` at each of them; else at a few, by chance."""
    request.node.add_report_section("call", "sample", f"NCHAT_TRIALS_SEED={SEED}")
    await live(on, "invite_only")
    points = await all_points(on)
    some = range(len(points)) if WHOLE else Random(SEED).sample(range(len(points)), SAMPLE)  # noqa: S311 - no secret
    for at in some:
        await on.database.execute("TRUNCATE nchat_streams CASCADE")
        stream_id = await live(on, "invite_only")
        async with process(on, KillPoints(at)) as world:
            with pytest.raises((Killed, BaseExceptionGroup)):
                await life(on, world)
        on.rooms.broken, on.rooms.unanswered = set(), set()
        on.clock.advance(SILENT_FOR + 1)
        await jobs(on, on.world)
        found = await tallies(on, stream_id)
        assert (found.viewers, found.views) == await watching(on, stream_id), points[at]
        assert found.reactions == await on.database.fetchval("SELECT count(*) FROM nchat_stream_reactions")
        assert await counts(on, stream_id) == found
        assert found.viewers == 0
        assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_viewers WHERE out_of_room_at IS NULL") == 0
        room = await on.database.fetchval("SELECT room_name FROM nchat_streams")
        assert await on.rooms.list_participants(room) == []


async def test_no_commit_is_left_out(on: Setup) -> None:
    await live(on, "invite_only")
    passed = {point.split(":")[0] for point in await all_points(on)}
    names = transactions(SOURCES)
    assert len(names) == len(set(names)), "a name tells commits apart"
    assert [name for name in names if not any(fnmatch(point, name) for point in passed)] == []
