"""Sessions that end by themselves, and what is known then of how long they watched."""

import asyncio
from datetime import timedelta

import pytest

from domain.streams.viewers import lost
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.lost import SILENT_FOR, end_lost
from tests.streams.audience.live_streams import ANYBODY, Counts, joins, live, seconds, tallies, viewer
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
