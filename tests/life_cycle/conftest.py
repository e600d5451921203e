"""A ringing and a running call, with LiveKit in the test's hands."""

from collections.abc import AsyncIterator

import pytest

from domain.calls.answer import accept_call
from domain.calls.initiate import CallRequest, initiate_call
from tests.life_cycle.scenes import Running
from tests.support.legal import assert_legal
from tests.support.telling_rooms import TellingRoom
from tests.support.worlds import ALICE, BOB, CAROL, GENERAL, Stage, session, stage


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Stage]:
    """The world with the people of the demo; afterwards every call's history must be legal."""
    async with stage(database_url) as ready:
        yield ready
        for row in await ready.database.fetch("SELECT id FROM nchat_calls"):
            assert_legal(await ready.events(row["id"]))


@pytest.fixture
async def ringing(on: Stage) -> Running:
    """alice calls bob."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))


@pytest.fixture
async def direct(on: Stage, ringing: Running) -> Running:
    """alice and bob talk."""
    await accept_call(on.world, session(BOB), ringing.id)
    for user_id in (ALICE, BOB):
        await ringing.room.join(user_id, "microphone")
    return ringing


@pytest.fixture
async def group(on: Stage) -> Running:
    """alice, bob and carol talk in the channel; alice hosts."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB, CAROL], channel_id=GENERAL))
    running = Running(on, started.call_id, TellingRoom(on, started.room_name))
    for user_id in (BOB, CAROL):
        await accept_call(on.world, session(user_id), started.call_id)
    for user_id in (ALICE, BOB, CAROL):
        await running.room.join(user_id, "microphone")
        on.clock.advance(0.001)  # who came first is told by the time
    return running


@pytest.fixture
async def channel(on: Stage) -> Running:
    """alice started a call in the channel that rings nobody."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", channel_id=GENERAL))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))
