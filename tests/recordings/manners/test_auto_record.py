"""A call that is recorded by itself: once, at the arrival that its kind names, however many arrive at the same moment."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.role import set_participant_role
from domain.reconciler import reconcile
from domain.recordings.actions.stop import stop_recording
from domain.timeouts import run_timeouts
from domain.webhooks.inbox import process_pending, store_all
from tests.recordings.manners.asked_call import begin
from tests.support.domain_setup import ALICE, BOB, CAROL, Setup, newcomers, session

pytestmark = pytest.mark.anyio
STARTED_BY = "SELECT started_by, type::text FROM nchat_call_recordings"


async def test_first_is_the_first_track(on: Setup) -> None:
    call = await begin(on, auto_record="first", joins=False)
    await call.turn()
    await call.room.join(ALICE)
    await call.turn()
    assert await call.statuses() == []
    await call.room.join(ALICE, "microphone")
    await call.turn()
    assert (await call.statuses(), await call.told()) == (["starting"], ["recording_started"])
    assert [tuple(row) for row in await on.database.fetch(STARTED_BY)] == [(ALICE, "composite")]


async def test_first_without_webhooks(on: Setup) -> None:
    call = await begin(on, auto_record="first", joins=False)
    on.rooms.join(call.room.name, str(ALICE), "microphone")
    on.clock.advance(1)
    await reconcile(on.world)
    await call.turn()
    assert await call.statuses() == ["starting"]


async def test_second_is_the_second_person(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="second")
    await call.turn()
    assert await call.statuses() == []
    await call.arrive(BOB)
    await call.room.leave(BOB, "signal_close")
    await call.turn()
    assert await call.statuses() == ["starting"]


async def test_host_is_whoever_hosts_at_the_moment(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, auto_record="host", joins=False)
    await call.arrive(BOB)
    await call.turn()
    assert await call.statuses() == []
    bob = (await on.participant(call.id, BOB))["id"]
    await set_participant_role(on.world, session(ALICE), call.id, bob, "host")
    await call.turn()
    assert [row["started_by"] for row in await on.database.fetch(STARTED_BY)] == [BOB]
    assert [event.actor_id for event in await on.events(call.id) if event.kind == "recording_started"] == [None]


async def test_nothing_is_recorded_while_it_only_rings(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="first")
    await call.turn()
    assert await call.statuses() == []
    await call.arrive(BOB)
    await call.turn()
    assert await call.statuses() == ["starting"]


async def test_sound_alone_where_there_is_no_picture(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="second")
    await on.database.execute("UPDATE nchat_calls SET type = 'audio'")
    await call.arrive(BOB)
    await call.turn()
    assert [row["type"] for row in await on.database.fetch(STARTED_BY)] == ["audio_only"]


async def test_stopped_or_failed_it_stays_so(on: Setup) -> None:
    call = await begin(on, BOB, CAROL, auto_record="second")
    on.recorder.no_worker = True
    await call.arrive(BOB)
    await call.turn()
    assert await call.statuses() == ["failed"]
    on.recorder.no_worker = False
    await call.arrive(CAROL)
    await call.turn()
    assert await call.statuses() == ["failed"]
    # Whoever wants one presses the button.
    recording_id = await call.record()
    await stop_recording(on.world, session(ALICE), recording_id)
    await call.turn()
    assert len(await call.statuses()) == 2


async def test_what_a_host_records_is_enough(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="second")
    await call.arrive(BOB)
    recording_id = await call.record()
    await call.turn()
    await stop_recording(on.world, session(ALICE), recording_id)
    await call.turn()
    assert len(await call.statuses()) == 1


async def test_a_deployment_that_records_nothing(on: Setup) -> None:
    call = await begin(on, BOB, auto_record="second")
    await call.arrive(BOB)
    await run_timeouts(replace(on.world, recorder=None))
    assert await call.statuses() == []


@pytest.mark.parametrize(("kind", "consent"), [("first", "notify"), ("second", "ask"), ("host", "notify")])
async def test_fifty_who_join_at_once_are_recorded_once(on: Setup, kind: str, consent: str) -> None:
    """Their webhooks are worked out, and the jobs look, several times at once and while they still come."""
    call = await begin(on, auto_record=kind, consent=consent, joins=False)
    call.room.silent = True
    crowd = await newcomers(on, 50)
    if consent == "ask":
        await on.database.executemany(
            "INSERT INTO nchat_call_participants (call_id, user_id, consented_at) VALUES ($1, $2, now())", [(call.id, one) for one in crowd]
        )

    async def arrive(user_id: UUID) -> None:
        if user_id != ALICE:
            await join_call(on.world, session(user_id), call.id)
        await call.room.join(user_id, "microphone")
        await store_all(on.world, [event for event in call.room.told if event.text("participant", "identity") == str(user_id)])

    arriving = asyncio.gather(*(arrive(one) for one in (ALICE, *crowd)))

    async def look() -> None:
        while not arriving.done():
            await process_pending(on.world)
            await call.turn()

    await asyncio.gather(arriving, *(look() for _ in range(3)))
    await process_pending(on.world)
    await call.turn()
    assert await call.statuses() == ["starting"]
    assert (await call.told()).count("recording_started") == len(on.recorder.egresses) == 1


async def test_other_calls_are_left_alone(on: Setup) -> None:
    await begin(on, BOB)
    other = await initiate_call(on.world, session(CAROL), CallRequest("video", [BOB]))
    await run_timeouts(on.world)
    rows = await on.database.fetch("SELECT auto_recorded_at FROM nchat_calls")
    assert (len(rows), {row["auto_recorded_at"] for row in rows}, other.ticket is not None) == (2, {None}, True)
