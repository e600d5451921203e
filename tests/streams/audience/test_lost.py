"""Sessions that end by themselves, and what is known then of how long they watched."""

import asyncio
from datetime import timedelta

import pytest

from domain.streams.viewers import lost
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.lost import BREAK, SILENT_FOR, Listening
from domain.world import World
from tests.streams.audience.live_streams import ANYBODY, Counts, end_lost, joins, live, seconds, tallies, viewer
from tests.support.domain_setup import BOB, Setup, session

pytestmark = pytest.mark.anyio


async def test_who_says_nothing_for_45_seconds_watched_until_the_last_word(on: Setup) -> None:
    stream_id = await live(on)
    silent, never, alive = [await joins(on, who, stream_id) for who in (session(BOB), ANYBODY, ANYBODY)]
    on.clock.advance(20.5)
    await heartbeat_stream(on.world, session(BOB), silent.session_id)
    on.clock.advance(SILENT_FOR)
    await heartbeat_stream(on.world, ANYBODY, alive.session_id)
    await end_lost(on.world)
    assert await tallies(on, stream_id) == Counts(2, 3, 3), "45 s are not more than 45 s"
    on.clock.advance(1)
    await end_lost(on.world)
    assert await tallies(on, stream_id) == Counts(1, 3, 3)
    for joined, watched in ((silent, 20), (never, 0)):
        row = await viewer(on, joined.viewer_id)
        assert (row["watch_duration"], int(await seconds(row))) == (watched, watched)
    assert (await viewer(on, alive.viewer_id))["left_at"] is None


async def turns(on: Setup, process: Listening, seconds: float) -> None:
    """The process goes on for so long, a turn every second."""
    for _ in range(int(seconds)):
        await process.end_lost()
        on.clock.advance(1)


async def test_nobody_is_lost_for_the_time_in_which_nobody_listened(on: Setup) -> None:
    """All processes are away, and their clients come back within seconds: their sessions go on, and nobody is counted twice."""
    stream_id = await live(on)
    stays, gone = await joins(on, ANYBODY, stream_id), await joins(on, ANYBODY, stream_id)
    before = on.clock.now()
    on.clock.advance(SILENT_FOR + 60)
    process, another = Listening(on.world), Listening(on.world)
    await asyncio.gather(process.end_lost(), another.end_lost())
    assert await tallies(on, stream_id) == Counts(2, 2, 2)
    on.clock.advance(1)
    await turns(on, process, 15)
    await heartbeat_stream(on.world, ANYBODY, stays.session_id)
    await turns(on, process, SILENT_FOR - 15)
    assert await tallies(on, stream_id) == Counts(2, 2, 2)
    await turns(on, process, 2)
    assert await tallies(on, stream_id) == Counts(1, 2, 2)
    assert (await viewer(on, gone.viewer_id))["left_at"] == before
    assert (await viewer(on, stays.viewer_id))["left_at"] is None


async def test_a_process_that_stood_still_listens_anew(on: Setup) -> None:
    stream_id, process = await live(on), Listening(on.world)
    await turns(on, process, SILENT_FOR + 2)
    await joins(on, ANYBODY, stream_id)
    for _ in range(2):
        on.clock.advance(SILENT_FOR + BREAK)
        await process.end_lost()
        assert await tallies(on, stream_id) == Counts(1, 1, 1)
    on.clock.advance(1)
    await turns(on, process, SILENT_FOR + 1)
    assert await tallies(on, stream_id) == Counts(0, 1, 1)


async def test_a_database_that_does_not_answer_takes_nothing_down(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    stream_id, process = await live(on), Listening(on.world)
    await turns(on, process, SILENT_FOR + 2)
    await joins(on, ANYBODY, stream_id)

    async def away(_: World) -> None:
        raise ConnectionError

    with monkeypatch.context() as outage:
        outage.setattr(lost, "end_over", away)
        for _ in range(int(SILENT_FOR) + 2):
            with pytest.raises(ConnectionError):
                await process.end_lost()
            on.clock.advance(1)
    await process.end_lost()
    assert await tallies(on, stream_id) == Counts(1, 1, 1)


async def test_nobody_watches_what_is_over(on: Setup) -> None:
    stream_id, other = await live(on), await live(on)
    joined, stays = await joins(on, ANYBODY, stream_id), await joins(on, ANYBODY, other)
    ended_at = on.clock.now() + timedelta(seconds=30)
    on.clock.advance(40)
    await on.database.execute("UPDATE nchat_streams SET status = 'ended', ended_at = $2 WHERE id = $1", stream_id, ended_at)
    await end_lost(on.world)
    row = await viewer(on, joined.viewer_id)
    assert (row["left_at"], row["watch_duration"]) == (ended_at, 30)
    assert (await viewer(on, stays.viewer_id))["left_at"] is None


async def test_all_of_them_go_whatever_their_number_on_several_workers(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost, "BATCH", 7)
    stream_id = await live(on)
    add = """INSERT INTO nchat_stream_viewers (stream_id, session_id, seen_at, joined_at)
        SELECT $1, number::text, $2, $2 FROM generate_series(1, 40) AS number"""
    await on.database.execute(add, stream_id, on.clock.now())
    on.clock.advance(SILENT_FOR + 1)
    await asyncio.gather(*(end_lost(on.world) for _ in range(3)))
    await end_lost(on.world)
    assert await tallies(on, stream_id) == Counts(0, 40, 40)
