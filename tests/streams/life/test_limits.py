"""How many streams run at a time, and what a stream may be called."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.errors import InvalidInput, MediaUnavailable, NotFound, RateLimited, StreamLimit
from domain.ports import StreamingLimits
from domain.streams.actions.create import create_stream
from domain.streams.actions.start import start_new_stream
from domain.streams.actions.stop import cancel_stream
from domain.streams.planning import StreamPlan
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, Setup, session

pytestmark = pytest.mark.anyio
AT_ONCE = 3


@pytest.fixture
async def few(on: Setup) -> AsyncIterator[Setup]:
    """Three streams may run."""
    on.world = replace(on.world, stream_limits=StreamingLimits(most_at_once=AT_ONCE))
    yield on


async def start(on: Setup, plan: StreamPlan) -> str:
    """`started`, or the code of the refusal."""
    try:
        await start_new_stream(on.world, session(ALICE), plan)
    except StreamLimit as refusal:
        return refusal.code
    return "started"


async def test_no_more_than_may_however_many_start_at_once(few: Setup) -> None:
    outcomes = await asyncio.gather(*(start(few, StreamPlan(GENERAL, f"stream {number}")) for number in range(12)))
    assert (outcomes.count("started"), outcomes.count("stream-limit")) == (AT_ONCE, 12 - AT_ONCE)
    rows = await few.database.fetch("SELECT id FROM nchat_streams WHERE status = 'starting'")
    assert (len(rows), len(few.rooms.rooms)) == (AT_ONCE, AT_ONCE)
    assert await few.database.fetchval("SELECT count(*) FROM nchat_streams") == AT_ONCE, "who was refused left nothing"
    await cancel_stream(few.world, session(ALICE), rows[0]["id"])
    assert await start(few, StreamPlan(GENERAL, "another")) == "started"


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
