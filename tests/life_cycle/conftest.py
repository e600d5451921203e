"""A ringing and a running call, with LiveKit in the test's hands."""

from collections.abc import AsyncIterator

import pytest

from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from tests.life_cycle.running_call import Running
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session, setup
from tests.support.telling_rooms import TellingRoom


@pytest.fixture
async def on(database_url: str) -> AsyncIterator[Setup]:
    """The world with the people of the demo; afterwards every call's history must be valid."""
    async with setup(database_url) as ready:
        yield ready
        for row in await ready.database.fetch("SELECT id FROM nchat_calls"):
            assert_valid_history(await ready.events(row["id"]))


@pytest.fixture
async def ringing(on: Setup) -> Running:
    """alice calls bob."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))


@pytest.fixture
async def direct(on: Setup, ringing: Running) -> Running:
    """alice and bob talk."""
    await accept_call(on.world, session(BOB), ringing.id)
    for user_id in (ALICE, BOB):
        await ringing.room.join(user_id, "microphone")
    return ringing


@pytest.fixture
async def group(on: Setup) -> Running:
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
async def channel(on: Setup) -> Running:
    """alice started a call in the channel that rings nobody."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", channel_id=GENERAL))
    return Running(on, started.call_id, TellingRoom(on, started.room_name))
