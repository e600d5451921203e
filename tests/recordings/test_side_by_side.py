"""LiveKit looks for a worker for half a minute: nobody else's recording waits for that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import asyncpg
import pytest

from app.jobs import start_jobs
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.ports import MediaError
from domain.recording_ports import Egress, EgressWanted
from domain.recordings.actions.start import start_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.starting import Manner
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, Setup, session
from tests.support.fake_recorder import FakeRecorder
from tests.support.telling_rooms import TellingRoom
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


@dataclass
class Searching(FakeRecorder):
    """After its first egress LiveKit looks for a worker, until the test lets it `give_up`."""

    searches: int = 0
    give_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, wanted: EgressWanted) -> Egress:
        if not self.egresses:
            return await FakeRecorder.start(self, wanted)
        self.searches += 1
        await self.give_up.wait()
        raise MediaError("egress.start: 503 unavailable")


@pytest.fixture
async def searching(on: Setup) -> AsyncIterator[Searching]:
    on.recorder = Searching()
    on.world = replace(on.world, recorder=on.recorder)
    async with asyncpg.create_pool(on.url, min_size=1, max_size=2) as pool:
        jobs = await start_jobs(on.world, pool)
        yield on.recorder
        await jobs.stop()


async def talking(on: Setup, host: UUID, callee: UUID) -> UUID:
    """A call of two in the channel."""
    started = await initiate_call(on.world, session(host), CallRequest("audio", [callee], channel_id=GENERAL))
    room = TellingRoom(on, started.room_name)
    await room.join(host, "microphone")
    await accept_call(on.world, session(callee), started.call_id)
    await room.join(callee, "microphone")
    return started.call_id


async def press(on: Setup, host: UUID, call_id: UUID) -> UUID:
    return (await start_recording(on.world, session(host), call_id, Manner())).recording_id


async def test_a_search_holds_up_neither_another_nor_a_stop(on: Setup, searching: Searching) -> None:
    one, other = await talking(on, ALICE, BOB), await talking(on, CAROL, DAVE)
    recording_id = await press(on, ALICE, one)

    async def begun() -> bool:
        return bool(await on.database.fetchval("SELECT egress_id IS NOT NULL FROM nchat_call_recording_parts"))

    async def stopped() -> bool:
        return searching.egresses["EG_1"].status == "aborted"

    async def both_searched() -> bool:
        return searching.searches == 2

    async def both_failed() -> bool:
        wanted = "SELECT every(status = 'failed') FROM nchat_call_recordings WHERE id = ANY ($1)"
        return bool(await on.database.fetchval(wanted, both))

    await eventually(begun)
    both = [await press(on, CAROL, other)]
    await stop_recording(on.world, session(ALICE), recording_id)
    await eventually(stopped)
    both.append(await press(on, ALICE, one))
    await eventually(both_searched)
    searching.give_up.set()
    await eventually(both_failed)
