"""What is counted is what happened: any mix of joins, doubles, leaves and crashes, on several processes at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from domain.errors import NotFound
from domain.streams.actions.stop import stop_stream
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.joining import Joined, join_stream
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.lost import SILENT_FOR
from domain.streams.viewers.telling import tell_counts
from domain.world import World
from tests.streams.audience.live_streams import ANYBODY, Counts, counts, end_lost, joins, live, processes, tallies, watching
from tests.support.domain_setup import ALICE, BOB, Setup, newcomers, session

pytestmark = pytest.mark.anyio

Dice = random.Random


async def test_joins_and_leaves_that_meet(on: Setup) -> None:
    """All come at once, then half of them leave twice while others come, then the rest crash: the peak is the first crowd's, or more."""
    stream_id = await live(on)
    async with processes(on) as worlds:

        async def come(number: int) -> Joined:
            return await join_stream(worlds[number % 2], ANYBODY, stream_id)

        first = await asyncio.gather(*(come(number) for number in range(30)))
        assert await tallies(on, stream_id) == Counts(30, 30, 30)
        doubled = [leave_stream(worlds[number % 2], ANYBODY, joined.session_id) for joined in first[:15] for number in range(2)]
        second = await asyncio.gather(*doubled, *(come(number) for number in range(10)))
        now = await tallies(on, stream_id)
        assert (now.viewers, now.views) == await watching(on, stream_id) == (25, 40)
        assert 30 <= now.peak <= 40
        on.clock.advance(SILENT_FOR + 1)
        lives = [one for one in second if isinstance(one, Joined)][:3]
        beats = [heartbeat_stream(worlds[0], ANYBODY, joined.session_id) for joined in lives]
        told = await asyncio.gather(*beats, *(end_lost(world) for world in worlds), return_exceptions=True)
        assert {type(one) for one in told if isinstance(one, BaseException)} <= {NotFound}, "whose word comes too late is told so"
        after = await tallies(on, stream_id)
        assert after.viewers == (await watching(on, stream_id))[0] <= 3
        await asyncio.gather(*(end_lost(world) for world in worlds))
        assert (await tallies(on, stream_id)).peak == now.peak


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_them_adds_up(on: Setup, seed: int) -> None:
    """Beside a model that counts on its fingers; the stream's row follows."""
    dice, stream_id = Dice(seed), await live(on)
    there: dict[str, Joined] = {}
    peak = views = 0
    for _ in range(60):
        match dice.choice(["join", "join", "leave", "leave twice", "crash", "heartbeat"]):
            case "join":
                joined = await joins(on, ANYBODY, stream_id)
                there[joined.session_id] = joined
                views += 1
            case "leave" if there:
                await leave_stream(on.world, ANYBODY, there.popitem()[0])
            case "leave twice" if there:
                gone = there.popitem()[0]
                await asyncio.gather(*(leave_stream(on.world, ANYBODY, gone) for _ in range(2)))
            case "heartbeat" if there:
                await heartbeat_stream(on.world, ANYBODY, dice.choice(list(there)))
            case "crash" if there:
                there.popitem()
                on.clock.advance(SILENT_FOR + 1)
                await asyncio.gather(*(heartbeat_stream(on.world, ANYBODY, one) for one in there))
                await end_lost(on.world)
        peak = max(peak, len(there))
        assert await tallies(on, stream_id) == Counts(len(there), peak, views)
    await due(on)
    await tell_counts(on.world)
    assert await counts(on, stream_id) == Counts(len(there), peak, views)


async def due(on: Setup) -> None:
    """The half second between two writes of a stream's row has passed."""
    await on.database.execute("UPDATE nchat_stream_tallies SET told_at = told_at - interval '1 second'")


async def test_a_foreign_writer_is_counted_too(on: Setup) -> None:
    one, other = await live(on), await live(on)
    add = "INSERT INTO nchat_stream_viewers (stream_id, session_id) SELECT $1, number::text FROM generate_series(1, $2) AS number"
    await on.database.execute(add, one, 5)
    await on.database.execute(add, other, 3)
    await on.database.execute("UPDATE nchat_stream_viewers SET left_at = now() WHERE session_id IN ('1', '2')")
    await on.database.execute("DELETE FROM nchat_stream_viewers WHERE session_id IN ('2', '3')")
    assert (await tallies(on, one), await tallies(on, other)) == (Counts(2, 5, 5), Counts(0, 3, 3))
    await on.database.execute("UPDATE nchat_stream_viewers SET left_at = NULL WHERE session_id = '1'")
    assert (await tallies(on, one), await tallies(on, other)) == (Counts(3, 5, 5), Counts(1, 3, 3))


async def test_the_streams_row_is_written_once_for_many_joins_and_not_for_none(on: Setup) -> None:
    crowd, stream_id = await newcomers(on, 20), await live(on)
    await due(on)
    await tell_counts(on.world)
    written = await updated(on)
    await due(on)
    await asyncio.gather(*(joins(on, session(one), stream_id) for one in crowd))
    on.publisher.topics()
    await asyncio.gather(*(tell_counts(on.world) for _ in range(3)))
    assert on.publisher.topics() == {f"stream:{stream_id}", "table:nchat_streams"}
    assert await counts(on, stream_id) == Counts(20, 20, 20)
    told = await updated(on)
    assert told > written
    await joins(on, session(BOB), stream_id)
    await tell_counts(on.world)
    assert (await updated(on), on.publisher.topics()) == (told, set()), "within half a second of the last time"
    await due(on)
    await tell_counts(on.world)
    assert (await counts(on, stream_id)).viewers == 21
    on.publisher.topics()
    await due(on)
    await tell_counts(on.world)
    assert on.publisher.topics() == set()


async def updated(on: Setup) -> datetime:
    at: datetime = await on.database.fetchval("SELECT updated_at FROM nchat_streams")
    return at


async def test_many_streams_on_two_processes_never_wait_for_each_other_for_ever(on: Setup) -> None:
    """Who ends sessions of several streams, who joins them and who tells their counts lock in one order."""
    streams = [await live(on) for _ in range(4)]
    async with processes(on) as worlds:
        seeds = range(24)

        async def work(seed: int) -> None:
            dice = Dice(seed)
            world = worlds[seed % 2]
            jobs: list[Callable[[World], Awaitable[None]]] = [end_lost, tell_counts]
            for _ in range(6):
                if dice.random() < 0.6:
                    await join_stream(world, ANYBODY, dice.choice(streams))
                else:
                    await dice.choice(jobs)(world)

        await asyncio.gather(*(work(seed) for seed in seeds))
    for stream_id in streams:
        now = await tallies(on, stream_id)
        assert (now.viewers, now.views) == await watching(on, stream_id)


async def test_the_answer_of_a_stop_knows_who_came_a_moment_ago(on: Setup) -> None:
    """The stream's row follows later."""
    stream_id = await live(on)
    joined = [await joins(on, ANYBODY, stream_id) for _ in range(3)]
    await leave_stream(on.world, ANYBODY, joined[0].session_id)
    stopped = await stop_stream(on.world, session(ALICE), stream_id)
    assert (stopped.peak_viewers, stopped.total_views) == (3, 3)
