"""The jobs in the service's own process, on a real pgqueuer: they run, once each, and survive what happens to them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.adapters.clock import SystemClock
from app.database.transactions import EngineTransactions, open_engine
from app.jobs import Jobs, runner, scheduler, start_jobs
from app.jobs.periodic import PeriodicJob
from app.jobs.supervision import ObserveJob, uncounted
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.kick import kick_participant
from domain.timeouts import TIMEOUTS
from domain.timeouts.due import Case
from domain.webhooks.inbox import store, store_all
from domain.world import World
from tests.life_cycle.running_call import Running
from tests.support.crowd import arrivals, connecting_calls, ringing_calls, statuses
from tests.support.domain_setup import ALICE, BOB, Setup, session
from tests.support.log_lines import LogLines
from tests.support.telling_rooms import TellingRoom
from tests.support.waiting import eventually, within

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def worker(on: Setup, observe: ObserveJob = uncounted) -> AsyncIterator[Jobs]:
    """One process's jobs, on the wall clock, with connections of its own."""
    async with open_engine(on.url) as engine, asyncpg.create_pool(on.url, min_size=1, max_size=2) as pool:
        world: World = replace(on.world, transaction=EngineTransactions(engine, on.publisher), clock=SystemClock())
        jobs = await start_jobs(world, pool, observe=observe)
        try:
            yield jobs
        finally:
            await jobs.stop()


async def has_ended(on: Setup) -> bool:
    return bool(await on.database.fetchval("SELECT bool_and(status = 'ended') FROM nchat_calls"))


async def test_a_ring_ends_by_itself(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB], ring_timeout_seconds=1))
    async with worker(on):
        await eventually(lambda: has_ended(on), seconds=6)
    assert (await on.call(started.call_id))["end_reason"] == "no_answer"


async def test_a_stored_webhook_is_processed_when_woken(ringing: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "WEBHOOKS_EVERY", 3600)
    async with worker(ringing.on) as jobs:
        ringing.room.silent = True
        await ringing.room.join(ALICE)
        await store(ringing.on.world, ringing.room.told[-1])
        jobs.wake()

        async def connected() -> bool:
            return (await ringing.standing(ALICE))[0] == "connected"

        await eventually(connected)


async def test_a_kicked_person_is_out_within_two_seconds_without_webhooks(group: Running) -> None:
    async with worker(group.on):
        bob = await group.on.participant(group.id, BOB)
        on_the_wall = replace(group.on.world, clock=SystemClock())
        await kick_participant(on_the_wall, session(ALICE), group.id, bob["id"])
        group.room.silent = True
        for _ in range(3):
            await group.room.join(BOB)

            async def out() -> bool:
                return str(BOB) not in group.on.rooms.people[group.room.name]

            await eventually(out, seconds=2)


async def test_of_two_workers_each_tick_is_one_workers(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[float] = []

    async def tick(_world: World) -> None:
        ticks.append(time.time())

    async def three() -> bool:
        return len(ticks) >= 3

    monkeypatch.setattr(scheduler, "PERIODIC", (PeriodicJob("tick", "* * * * * *", tick),))
    async with worker(on), worker(on):
        await eventually(three, seconds=10)
    assert len({int(moment) for moment in ticks}) == len(ticks)


async def test_a_dead_workers_schedule_goes_to_another(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = asyncio.Event()

    async def tick(_world: World) -> None:
        ran.set()

    monkeypatch.setattr(scheduler, "PERIODIC", (PeriodicJob("tick", "* * * * * *", tick),))
    async with worker(on):
        await within(ran.wait(), 6)
    await on.database.execute("UPDATE pgqueuer_schedules SET status = 'picked', heartbeat = now() - interval '4 seconds'")
    ran.clear()
    async with worker(on):
        await within(ran.wait(), 8)


async def test_a_lost_database_connection_stops_nothing(ringing: Running) -> None:
    on = ringing.on
    async with worker(on) as jobs:
        await on.database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        ringing.room.silent = True
        await ringing.room.join(ALICE)
        await store(on.world, ringing.room.told[-1])
        jobs.wake()

        async def connected() -> bool:
            return (await ringing.standing(ALICE))[0] == "connected"

        await eventually(connected, seconds=10)
        await on.database.execute("UPDATE nchat_call_participants SET status_since = now() - interval '1 hour' WHERE status = 'ringing'")
        await eventually(lambda: has_ended(on), seconds=10)


async def test_a_job_that_fails_runs_again(on: Setup, monkeypatch: pytest.MonkeyPatch, log_lines: LogLines) -> None:
    outcomes: list[bool] = []
    monkeypatch.setattr(scheduler, "PERIODIC", (PeriodicJob("broken", "* * * * * *", broken),))

    def observe(name: str, _seconds: float, failed: bool) -> None:
        if name == "broken":
            outcomes.append(failed)

    async def twice() -> bool:
        return len(outcomes) >= 2

    async with worker(on, observe):
        await eventually(twice, seconds=10)
    assert all(outcomes)
    assert any(line["job"] == "broken" and line["exc_info"] for line in log_lines)


async def broken(_world: World) -> None:
    raise KeyError("this job is broken")


async def test_stopping_leaves_nothing_running(on: Setup) -> None:
    before = asyncio.all_tasks()
    async with worker(on):
        assert len(asyncio.all_tasks()) > len(before)
    assert asyncio.all_tasks() == before


async def test_at_start_it_catches_up(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    room = TellingRoom(on, started.room_name, silent=True)
    alice = await room.join(ALICE)
    async with worker(on):

        async def seen() -> bool:
            return bool((await on.participant(started.call_id, ALICE))["participant_sid"] == alice.sid)

        await eventually(seen, seconds=3)


async def test_no_kind_of_timeout_waits_for_another(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that never comes to an end, and one that does."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def stuck(_case: Case) -> None:
        reached.set()
        await never.wait()

    ringing, connecting, *_ = TIMEOUTS
    monkeypatch.setattr(runner, "TIMEOUTS", (replace(ringing, decide=stuck), connecting))
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    await ringing_calls(on.database, 1, since=long_ago)
    (due,) = await connecting_calls(on.database, 1, since=long_ago)

    async def failed() -> bool:
        return bool((await on.call(due.id))["end_reason"] == "failed")

    async with worker(on):
        await within(reached.wait(), 10)
        await eventually(failed)


async def test_no_loop_waits_for_a_silent_livekit(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms that nobody deletes hold up neither the next ring nor the next webhook."""
    asked, never = asyncio.Event(), asyncio.Event()

    async def silent(_name: str) -> None:
        asked.set()
        await never.wait()

    monkeypatch.setattr(type(on.rooms), "delete_room", lambda _self, name: silent(name))
    await ringing_calls(on.database, 1, since=datetime.now(UTC) - timedelta(hours=1))
    async with worker(on) as jobs:
        await within(asked.wait(), 10)
        await ringing_calls(on.database, 1, since=datetime.now(UTC) - timedelta(hours=1))
        (call,) = await connecting_calls(on.database, 1, since=datetime.now(UTC))
        await store_all(on.world, arrivals(call, datetime.now(UTC)))
        jobs.wake()

        async def all_done() -> bool:
            return await statuses(on.database) == {"ended": 2, "connected": 1}

        await eventually(all_done)


async def test_at_start_no_timeout_decides_before_livekit_was_looked_at(on: Setup) -> None:
    """Nobody served while both arrived: their webhooks are lost, and they are in the room."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    await accept_call(on.world, session(BOB), started.call_id)
    room = TellingRoom(on, started.room_name, silent=True)
    for user_id in (ALICE, BOB):
        await room.join(user_id)
    await on.database.execute("UPDATE nchat_calls SET status_since = now() - interval '1 hour'")

    async def decided() -> str | None:
        status: str = (await on.call(started.call_id))["status"]
        return None if status == "connecting" else status

    async with worker(on):
        await eventually(decided)
    assert await decided() == "connected"


async def test_the_age_of_the_backlog_is_told(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    ages: list[float] = []
    monkeypatch.setattr(runner, "BACKLOG_EVERY", 0.05)
    waits = "INSERT INTO nchat_webhook_events (id, event, payload, received_at, next_attempt_at) VALUES ('EV_1', 'x', '{}', $1, $2)"
    await on.database.execute(waits, datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=5))

    async def told() -> bool:
        return bool(ages)

    async def gone() -> bool:
        return ages[-1] == 0

    async with open_engine(on.url) as engine, asyncpg.create_pool(on.url, min_size=1, max_size=2) as pool:
        world = replace(on.world, transaction=EngineTransactions(engine, on.publisher), clock=SystemClock())
        jobs = await start_jobs(world, pool, backlog=ages.append)
        await eventually(told)
        assert 300 <= ages[0] < 400
        await on.database.execute("UPDATE nchat_webhook_events SET processed_at = now()")
        await eventually(gone)
        await jobs.stop()
