"""How many streams run at a time, and what a stream may be called."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.errors import InvalidInput, MediaUnavailable, NotFound, RateLimited, StreamLimit
from domain.ports import StreamingLimits
from domain.streams.actions.create import create_stream
from domain.streams.actions.start import start_new_stream
from domain.streams.actions.stop import cancel_stream
from domain.streams.places import MOST_WAITING, TOO_MANY_WAIT
from domain.streams.planning import StreamPlan
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
AT_ONCE = 3


@pytest.fixture
async def few(on: Setup) -> AsyncIterator[Setup]:
    """Three streams may run."""
    on.world = replace(on.world, stream_limits=StreamingLimits(most_at_once=AT_ONCE))
    yield on


async def start(on: Setup, plan: StreamPlan, *, by: UUID = ALICE) -> str:
    """`started`, or the code of the refusal."""
    try:
        await start_new_stream(on.world, session(by), plan)
    except StreamLimit as refusal:
        return refusal.code
    return "started"


async def test_no_more_than_may_however_many_start_at_once(few: Setup) -> None:
    hosts = (ALICE, BOB, CAROL, DAVE)
    outcomes = await asyncio.gather(*(start(few, StreamPlan(GENERAL, f"stream {number}"), by=hosts[number % 4]) for number in range(12)))
    assert (outcomes.count("started"), outcomes.count("stream-limit")) == (AT_ONCE, 12 - AT_ONCE)
    rows = await few.database.fetch("SELECT id, host_id FROM nchat_streams WHERE status = 'starting'")
    assert (len(rows), len(few.rooms.rooms)) == (AT_ONCE, AT_ONCE)
    assert await few.database.fetchval("SELECT count(*) FROM nchat_streams") == AT_ONCE, "who was refused left nothing"
    await cancel_stream(few.world, session(rows[0]["host_id"]), rows[0]["id"])
    assert await start(few, StreamPlan(GENERAL, "another"), by=rows[0]["host_id"]) == "started"


async def test_nobody_takes_every_place_with_streams_that_nothing_is_sent_to(on: Setup) -> None:
    outcomes = await asyncio.gather(*(start(on, StreamPlan(GENERAL, f"stream {number}")) for number in range(10)))
    assert (outcomes.count("started"), outcomes.count("stream-limit")) == (MOST_WAITING, 10 - MOST_WAITING)
    before = await dump(on.database)
    with pytest.raises(StreamLimit) as refusal:
        await start_new_stream(on.world, session(ALICE), StreamPlan(GENERAL, "another"))
    assert refusal.value.sentence == TOO_MANY_WAIT
    assert await dump(on.database) == before
    assert await start(on, StreamPlan(GENERAL, "Bob's"), by=BOB) == "started"
    await on.database.execute("UPDATE nchat_streams SET status = 'live' WHERE host_id = $1", ALICE)
    assert await start(on, StreamPlan(GENERAL, "another")) == "started", "one that is sent to waits no longer"


async def test_one_request_sent_twice_at_once_is_one_stream(few: Setup) -> None:
    plan = StreamPlan(GENERAL, "Friday", client_request_id=uuid4())
    outcomes = await asyncio.gather(*(start(few, plan) for _ in range(6)))
    assert outcomes == ["started"] * 6
    assert await few.database.fetchval("SELECT count(*) FROM nchat_streams") == 1
    assert await few.database.fetchval("SELECT count(*) FROM nchat_call_recordings") == 1


@pytest.mark.parametrize(
    "plan",
    [
        StreamPlan(GENERAL, " "),
        StreamPlan(GENERAL, "x" * 201),
        StreamPlan(GENERAL, "a\0b"),
        StreamPlan(GENERAL, "Friday", description="x" * 10_001),
        StreamPlan(GENERAL),
        StreamPlan(title="Friday"),
    ],
)
async def test_what_a_stream_can_not_be(on: Setup, plan: StreamPlan) -> None:
    with pytest.raises(InvalidInput):
        await create_stream(on.world, session(ALICE), plan)
    assert await on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0


async def test_the_past_has_no_streams(on: Setup) -> None:
    with pytest.raises(InvalidInput):
        await create_stream(on.world, session(ALICE), StreamPlan(GENERAL, "Friday", scheduled_at=on.clock.now() - timedelta(seconds=1)))


async def test_channels_that_one_is_not_in(on: Setup) -> None:
    for who, channel in ((MALLORY, GENERAL), (BOB, uuid4())):
        with pytest.raises(NotFound):
            await create_stream(on.world, session(who), StreamPlan(channel, "Friday"))
        with pytest.raises(NotFound):
            await start_new_stream(on.world, session(who), StreamPlan(channel, "Friday"))
    assert await on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0


async def test_where_nothing_is_streamed(on: Setup) -> None:
    for world in (replace(on.world, recorder=None), replace(on.world, stream_limits=StreamingLimits(streaming=False))):
        with pytest.raises(MediaUnavailable):
            await create_stream(world, session(ALICE), StreamPlan(GENERAL, "Friday"))
        with pytest.raises(MediaUnavailable):
            await start_new_stream(world, session(ALICE), StreamPlan(GENERAL, "Friday"))
    assert await on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0


async def test_who_asks_too_often(on: Setup) -> None:
    on.limiter.used_up.add("initiate")
    with pytest.raises(RateLimited):
        await create_stream(on.world, session(ALICE), StreamPlan(GENERAL, "Friday"))
    assert await on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0
