"""A finished recording is told to the deployment's own backend: once taken never again, and until then with the same id."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from devstack.ports import free_port
from domain.calls.actions.end import end_call
from domain.deliveries.courier import doubled
from domain.deliveries.events import EVENTS, FIRST_PAUSE, LONGEST_PAUSE, deliver_events
from domain.recordings.actions.stop import delete_recording
from domain.world import World
from tests.recordings.event_receiver import CardReceiver, telling
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, GENERAL, Setup, session
from tests.support.log_lines import LogLines

pytestmark = pytest.mark.anyio
MANY = """
    INSERT INTO nchat_event_outbox (kind, payload, created_at, next_attempt_at)
    SELECT 'recording_finished', '{}', $2, $2 FROM generate_series(1, $1)
"""


@pytest.fixture
def receiver() -> CardReceiver:
    return CardReceiver()


@pytest.fixture
async def world(on: Setup, receiver: CardReceiver) -> AsyncIterator[World]:
    async with receiver.listening() as url, telling(on, url) as ready:
        yield ready


async def finish_one(call: RecordedCall, *, segments: int = 3) -> None:
    await call.run()
    await end_call(call.on.world, session(ALICE), call.id)
    await call.turn()
    await call.complete("EG_1", segments=segments)


async def test_a_receiver_that_fails_nine_times_of_ten(call: RecordedCall, world: World, receiver: CardReceiver) -> None:
    receiver.answers = [500, 503, 429, 302, 404, 500, 500, 500, 500]
    await finish_one(call, segments=5)
    recording = await call.recording()
    for attempt in range(1, 15):
        await deliver_events(world)
        call.on.clock.advance(doubled(FIRST_PAUSE, attempt, LONGEST_PAUSE).total_seconds())
    assert len(receiver.tries) == 10
    assert len(set(receiver.tries)) == 1, "every try has the same id and the same body"
    (card,) = receiver.taken
    assert card["id"] == receiver.tries[0][0]
    assert card["kind"] == "recording_finished"
    told = card["payload"]
    assert [datetime.fromisoformat(told.pop(name)) for name in ("startedAt", "endedAt")] == [recording["started_at"], recording["ended_at"]]
    assert told == {
        "recordingId": str(recording["id"]),
        "status": "ready",
        "type": "composite",
        "duration": 20,
        "startedBy": str(ALICE),
        "callId": str(call.id),
        "channelId": str(GENERAL),
        "link": {"field": "nchat_call_recordings_by_pk", "id": str(recording["id"])},
    }
    assert b"recordings/" not in receiver.tries[0][1], "no key of an object"


async def test_one_that_failed_is_told_as_well_and_each_once(call: RecordedCall, world: World, receiver: CardReceiver) -> None:
    await call.run()
    call.on.store.objects.clear()
    await end_call(call.on.world, session(ALICE), call.id)
    await call.turn()
    call.on.recorder.become("EG_1", "failed", 400)
    await call.tell("EG_1")
    for _ in range(3):
        await call.turn()
        await deliver_events(world)
    assert [card["payload"]["status"] for card in receiver.taken] == ["failed"]


async def test_one_that_never_began_is_told_as_well(call: RecordedCall, world: World, receiver: CardReceiver) -> None:
    """The call was told that it is recorded: whoever reads the channel is told that it was not."""
    call.on.recorder.no_worker = True
    recording_id = await call.start()
    assert await call.status() == "failed"
    await deliver_events(world)
    (card,) = receiver.taken
    told = card["payload"]
    assert (told["recordingId"], told["status"], told["duration"]) == (str(recording_id), "failed", None)


async def test_one_that_somebody_removed_meanwhile_is_not_told(call: RecordedCall, world: World, receiver: CardReceiver) -> None:
    recording_id = await call.run()
    await delete_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    assert await call.status() == "ready", "until its objects are gone"
    await deliver_events(world)
    assert receiver.tries == []


async def test_after_a_crash_the_same_event_comes_again_and_no_sooner(on: Setup, world: World, receiver: CardReceiver) -> None:
    """Taken out of the outbox by a process that died before it told anybody."""
    await on.database.execute(MANY, 1, on.clock.now())
    (taken,) = await EVENTS.take(world, 1)
    await deliver_events(world)
    assert receiver.tries == []
    on.clock.advance(EVENTS.taken_for.total_seconds())
    await deliver_events(world)
    assert [event_id for event_id, _ in receiver.tries] == [str(taken.id)]
    await EVENTS.settle(world, taken, error="timeout", next_attempt_at=on.clock.now())
    await deliver_events(world)
    assert len(receiver.tries) == 1, "a failure that comes too late changes nothing"


async def test_two_processes_share_the_work_and_tell_nothing_twice(on: Setup, receiver: CardReceiver) -> None:
    await on.database.execute(MANY, 60, on.clock.now())
    async with receiver.listening() as url, telling(on, url) as one, telling(on, url) as other:
        await asyncio.gather(deliver_events(one), deliver_events(other))
    assert len(receiver.taken) == len({event_id for event_id, _ in receiver.tries}) == 60


async def test_a_dead_receiver_is_one_line_and_loses_nothing(on: Setup, receiver: CardReceiver, log_lines: LogLines) -> None:
    await on.database.execute(MANY, 2, on.clock.now())
    async with telling(on, f"http://127.0.0.1:{free_port()}/secret-path") as world:
        for _ in range(3):
            await deliver_events(world)
            on.clock.advance(LONGEST_PAUSE)
    assert [line["event"] for line in log_lines if line["log_level"] == "warning"] == ["event_receiver_fails"]
    assert "secret-path" not in str(log_lines)
    assert await EVENTS.oldest_age(on.world) == 3 * LONGEST_PAUSE
    async with receiver.listening() as url, telling(on, url) as world:
        await deliver_events(world)
    assert len(receiver.taken) == 2


async def test_old_ones_are_forgotten(on: Setup, world: World, receiver: CardReceiver) -> None:
    await on.database.execute(MANY, 2300, on.clock.now() - EVENTS.kept - timedelta(seconds=1))
    await on.database.execute(MANY, 1, on.clock.now())
    assert await EVENTS.purge(world) == 2300
    await deliver_events(world)
    assert len(receiver.taken) == 1
