"""A timeout never beats news that is already in the inbox, and a batch costs few statements."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database.transactions import EngineTransactions, open_engine
from domain import timeouts
from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.webhooks import hearing
from domain.webhooks.inbox import process_pending, store, store_all
from domain.world import World
from tests.life_cycle.running_call import Running
from tests.support.crowd import ManyCall, arrivals, connecting_calls, ringing_calls, statuses
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, TestClock, session
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def another_process(on: Setup) -> AsyncIterator[tuple[World, AsyncEngine]]:
    """Connections of its own, whose statements can be counted."""
    async with open_engine(on.url) as engine:
        yield replace(on.world, transaction=EngineTransactions(engine, on.publisher)), engine


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What the engine is asked for while the block runs."""
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    sa.event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield asked
    sa.event.remove(engine.sync_engine, "before_cursor_execute", note)


async def silent_call(on: Setup) -> Running:
    """alice calls bob, who accepts; nothing that LiveKit says is worked out."""
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    await accept_call(on.world, session(BOB), started.call_id)
    return Running(on, started.call_id, TellingRoom(on, started.room_name, silent=True))


async def test_who_has_arrived_does_not_fail(on: Setup) -> None:
    """Both arrivals of each of many calls were stored in time, and none was worked out."""
    calls = await connecting_calls(on.database, 60, since=on.clock.now())
    await store_all(on.world, [event for call in calls for event in arrivals(call, on.clock.now())])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 0
    assert await statuses(on.database) == {"connected": 60}
    assert await process_pending(on.world) == 0


async def test_more_news_than_one_transaction_hears(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of calls that are decided together, the last arrival counts like the first."""
    monkeypatch.setattr(hearing, "EVENTS", 3)
    calls = await connecting_calls(on.database, 10, since=on.clock.now())
    await store_all(on.world, [event for call in calls for event in arrivals(call, on.clock.now())])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 0
    assert await statuses(on.database) == {"connected": 10}


@pytest.mark.parametrize("seconds", [600, -600], ids=["ahead", "behind"])
async def test_news_are_due_at_once_by_every_clock(on: Setup, seconds: float) -> None:
    """The process that stores has another time than the one that decides."""
    calls = await connecting_calls(on.database, 2, since=on.clock.now())
    elsewhere = replace(on.world, clock=TestClock(on.clock.now() + timedelta(seconds=60 + seconds)))
    await store_all(elsewhere, [event for call in calls for event in arrivals(call, on.clock.now())])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 0
    assert await statuses(on.database) == {"connected": 2}


async def test_two_processes_and_the_inbox_at_once(on: Setup) -> None:
    """Half of the calls have their arrivals in the inbox: just these live, however many decide and work out at the same time."""
    calls = await connecting_calls(on.database, 60, since=on.clock.now())
    await store_all(on.world, [event for call in calls[::2] for event in arrivals(call, on.clock.now())])
    on.clock.advance(60)
    async with another_process(on) as (one, _), another_process(on) as (other, _):
        await asyncio.gather(*(work(world) for world in (one, other) for work in (timeouts.run_timeouts, process_pending)))
    await timeouts.run_timeouts(on.world)
    await process_pending(on.world)
    assert await statuses(on.database) == {"connected": 30, "ended": 30}
    ends = await on.database.fetch("SELECT call_id, count(*) AS n FROM nchat_call_events WHERE kind = 'call_end' GROUP BY 1")
    assert {row["call_id"] for row in ends} == {call.id for call in calls[1::2]}
    assert {row["n"] for row in ends} == {1}


async def test_one_arrival_is_not_enough(on: Setup) -> None:
    call = await silent_call(on)
    await call.room.join(ALICE)
    await store(on.world, call.room.told[-1])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 1
    assert await call.status() == ("ended", "failed")
    assert "call_participant_joined" in await call.kinds()


async def test_who_is_back_ends_no_reconnecting_call(direct: Running) -> None:
    on = direct.on
    await direct.room.leave(BOB, "connection_timeout")
    assert await direct.status() == ("reconnecting", None)
    direct.room.silent = True
    await direct.room.join(BOB)
    await store(on.world, direct.room.told[-1])
    on.clock.advance(61)
    assert await timeouts.run_timeouts(on.world) == 0
    assert await direct.status() == ("connected", None)
    assert (await direct.standing(BOB))[0] == "connected"


async def test_who_is_back_has_not_left(group: Running) -> None:
    on = group.on
    await group.room.leave(CAROL, "connection_timeout")
    group.room.silent = True
    await group.room.join(CAROL)
    await store(on.world, group.room.told[-1])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 0
    assert await group.standing(CAROL) == ("connected", None)


async def test_a_call_that_somebody_holds_is_decided_later(on: Setup) -> None:
    held, free = await connecting_calls(on.database, 2, since=on.clock.now())
    on.clock.advance(60)
    async with another_process(on) as (world, _):
        async with on.database.transaction():
            await on.database.execute("SELECT FROM nchat_calls WHERE id = $1 FOR UPDATE", held.id)
            assert await timeouts.run_timeouts(world) == 1
            assert (await on.call(free.id))["status"] == "ended"
        assert await timeouts.run_timeouts(world) == 1
    assert (await on.call(held.id))["status"] == "ended"


async def test_an_event_that_fails_keeps_no_call_alive(on: Setup) -> None:
    """Neither its own call nor those of the same batch."""
    calls = await connecting_calls(on.database, 12, since=on.clock.now())
    broken = replace(calls[5], sids=("PA_" + "x" * 300, calls[5].sids[1]))
    await store_all(on.world, [event for call in (broken, calls[7]) for event in arrivals(call, on.clock.now())])
    on.clock.advance(60)
    assert await timeouts.run_timeouts(on.world) == 11
    assert await statuses(on.database) == {"connected": 1, "ended": 11}
    failed = await on.database.fetch("SELECT attempts, error, processed_at FROM nchat_webhook_events WHERE error IS NOT NULL")
    assert [(row["attempts"], row["processed_at"]) for row in failed] == [(1, None)]


async def test_a_rooms_events_cost_few_statements(direct: Running) -> None:
    """Twenty that change nothing: only finding, taking and marking them."""
    on, room = direct.on, direct.room
    room.silent = True
    before = len(room.told)
    for number in range(20):
        await room.tell("track_published", {"participant": {"identity": str(ALICE), "sid": "PA_other"}, "track": {"sid": f"TR_{number}"}})
    await store_all(on.world, room.told[before:])
    async with another_process(on) as (world, engine):
        with statements(engine) as asked:
            assert await process_pending(world) == 20
    # Looked at twice; how long to wait, locked, people, events, what is over, done.
    assert len(asked) == 2 + 6, "\n".join(asked)


async def test_many_rooms_cost_few_statements_each(on: Setup) -> None:
    calls = await connecting_calls(on.database, 50, since=on.clock.now())
    events = [event for call in calls for event in arrivals(call, on.clock.now())]
    await store_all(on.world, events)
    async with another_process(on) as (world, engine):
        with statements(engine) as asked:
            assert await process_pending(world) == len(events)
    assert await statuses(on.database) == {"connected": 50}
    assert len(asked) / len(events) <= 5


async def test_rings_that_run_out_together_cost_few_statements_each(on: Setup) -> None:
    calls = await ringing_calls(on.database, 50, since=on.clock.now())
    on.clock.advance(45)
    async with another_process(on) as (world, engine):
        with statements(engine) as asked:
            assert await timeouts.run_timeouts(world) == len(calls)
    assert await statuses(on.database) == {"ended": 50}
    mine = [text for text in asked if "room_closed_at=" not in text.replace(" ", "")]
    assert len(mine) / len(calls) <= 8, "\n".join(mine[-40:])


async def test_what_fails_to_be_decided_holds_up_no_other(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[ManyCall] = await ringing_calls(on.database, 12, since=on.clock.now())
    decide = timeouts.TIMEOUTS[0].decide

    async def fails_for_one(case: object) -> object:
        if getattr(case, "call").id == calls[3].id:  # noqa: B009 - any case
            raise LookupError
        return await decide(case)

    broken = replace(timeouts.TIMEOUTS[0], decide=fails_for_one)  # type: ignore[arg-type]
    on.clock.advance(45)
    decided = await timeouts.decide_due(on.world, broken)
    assert decided.count == 11
    assert await statuses(on.database) == {"ended": 11, "ringing": 1}


async def test_in_one_statement_the_order_is_that_of_arrival(on: Setup, database_url: str) -> None:
    call = await silent_call(on)
    await call.room.join(ALICE)
    await call.room.leave(ALICE, "connection_timeout")
    events = [replace(event, id=f"EV_{9 - number}") for number, event in enumerate(call.room.told)]
    assert await store_all(on.world, [*events, events[0]]) == [True, True, False]
    other: asyncpg.Connection = await asyncpg.connect(database_url)
    stored = await other.fetch("SELECT id FROM nchat_webhook_events ORDER BY received_at, id")
    await other.close()
    assert [row["id"] for row in stored] == [event.id for event in events]
