"""A request that holds a participant's row for long holds up that call alone, and for no longer than it holds it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from domain import short_waits, timeouts
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.reconciler import reconcile
from domain.webhooks.inbox import process_pending, store_all
from tests.life_cycle.running_call import Running
from tests.support.crowd import arrivals, connecting_calls, ringing_calls, statuses
from tests.support.domain_setup import BOB, CAROL, GENERAL, Setup, session

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_waits, "WAIT_MS", 100)


@asynccontextmanager
async def long_mutation(on: Setup, call_id: UUID) -> AsyncIterator[None]:
    """Somebody's update of the call's participants, which does not end: their rows are held, the call's is not."""
    async with on.database.transaction():
        await on.database.execute("UPDATE nchat_call_participants SET is_muted = is_muted WHERE call_id = $1", call_id)
        yield


async def test_the_webhooks_of_others_go_on(on: Setup) -> None:
    calls = await connecting_calls(on.database, 10, since=on.clock.now())
    await store_all(on.world, [event for call in calls for event in arrivals(call, on.clock.now())])
    async with long_mutation(on, calls[4].id):
        assert await process_pending(on.world) == 18
        waiting = await on.database.fetch("SELECT attempts, error FROM nchat_webhook_events WHERE processed_at IS NULL")
        assert [tuple(row) for row in waiting] == [(0, None)] * 2
    assert await process_pending(on.world) == 2
    assert await statuses(on.database) == {"connected": 10}


async def test_the_timeouts_of_others_go_on(on: Setup) -> None:
    calls = await ringing_calls(on.database, 10, since=on.clock.now())
    on.clock.advance(45)
    async with long_mutation(on, calls[4].id):
        assert await timeouts.run_timeouts(on.world) == 9
    assert await timeouts.run_timeouts(on.world) == 1
    assert await statuses(on.database) == {"ended": 10}


async def test_no_timeout_beats_news_that_somebody_holds_up(on: Setup) -> None:
    calls = await connecting_calls(on.database, 2, since=on.clock.now())
    await store_all(on.world, arrivals(calls[0], on.clock.now()))
    on.clock.advance(60)
    async with long_mutation(on, calls[0].id):
        assert await timeouts.run_timeouts(on.world) == 1
    assert await timeouts.run_timeouts(on.world) == 0
    assert await statuses(on.database) == {"connected": 1, "ended": 1}


async def test_the_reconciler_goes_on(direct: Running) -> None:
    on = direct.on
    other = await initiate_call(on.world, session(CAROL), CallRequest("audio", channel_id=GENERAL))
    on.rooms.join(other.room_name, str(CAROL))
    direct.room.silent = True
    before = await direct.sid(BOB)
    anew = await direct.room.join(BOB, "microphone")
    on.clock.advance(15)
    async with long_mutation(on, direct.id):
        await reconcile(on.world)
        assert (await on.participant(other.call_id, CAROL))["status"] == "connected"
    assert await direct.sid(BOB) == before
    on.clock.advance(15)
    await reconcile(on.world)
    assert await direct.sid(BOB) == anew.sid
