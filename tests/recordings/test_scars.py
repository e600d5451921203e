"""What happened to others' users, one test each: states that lie, rooms that wedge, dates that are never reached."""

import pytest

from domain.calls.actions.end import end_call
from domain.errors import MediaUnavailable, NotAllowed
from domain.recordings.actions.start import start_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.starting import Manner
from domain.timeouts import run_timeouts
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, BOB, CAROL, session

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("status", "code"), [("aborted", 412), ("failed", 500), ("limit_reached", 413), ("complete", 0)])
async def test_recording_active_for_ever_after_its_egress_ended_unheard(call: RecordedCall, status: str, code: int) -> None:
    await call.run()
    call.upload("EG_1", 3, ended=True)
    call.on.recorder.become("EG_1", status, code)  # type: ignore[arg-type]
    await end_call(call.on.world, session(ALICE), call.id)
    await call.pass_time(12)
    assert await call.status() == "ready"


async def test_recording_active_for_ever_after_its_worker_was_killed(call: RecordedCall) -> None:
    await call.run()
    call.on.recorder.dead.add("EG_1")
    call.on.recorder.no_worker = True
    await call.pass_time(120)
    assert call.on.recorder.egresses["EG_1"].status == "active"
    assert await call.status() == "ready"


async def test_start_time_is_that_of_the_click(call: RecordedCall) -> None:
    recording_id = await call.start()
    call.on.clock.advance(40)
    began_at = call.on.clock.now()
    await call.active(segments=1)
    row = await call.recording()
    assert row["id"] == recording_id
    assert abs((row["media_started_at"] - began_at).total_seconds()) < 0.01
    assert (row["media_started_at"] - row["started_at"]).total_seconds() > 39


async def test_room_wedged_after_a_failed_start(call: RecordedCall) -> None:
    call.on.recorder.no_worker = True
    await call.start()
    assert await call.status() == "failed"
    call.on.recorder.no_worker = False
    await call.run()
    assert await call.status() == "recording"


async def test_host_told_success_though_livekit_failed(call: RecordedCall) -> None:
    call.on.rooms.broken.add("list_rooms")
    with pytest.raises(MediaUnavailable):
        await start_recording(call.on.world, session(ALICE), call.id, Manner())
    assert await call.on.database.fetchval("SELECT count(*) FROM nchat_call_recordings") == 0
    assert await call.told() == []


async def test_ended_call_still_shown_as_recording(call: RecordedCall) -> None:
    await call.run()
    call.on.rooms.broken.add("delete_room")
    call.on.recorder.broken |= {"active", "find", "stop", "present"}
    await end_call(call.on.world, session(ALICE), call.id)
    with pytest.raises(Exception, match="no answer"):
        await call.turn()
    recording = "SELECT nchat_calls_is_recording(call) FROM nchat_calls AS call WHERE id = $1"
    assert await call.on.database.fetchval(recording, call.id) is False
    assert await call.status() == "processing"


async def test_stop_that_the_recorder_never_hears(call: RecordedCall) -> None:
    recording_id = await call.run()
    call.on.recorder.dead.add("EG_1")
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.pass_time(32)
    assert await call.status() == "ready"


async def test_self_promotion_by_own_metadata(call: RecordedCall) -> None:
    note = """UPDATE nchat_call_participants SET metadata = '{"role": "host"}' WHERE call_id = $1 AND user_id = $2"""
    await call.on.database.execute(note, call.id, BOB)
    with pytest.raises(NotAllowed):
        await start_recording(call.on.world, session(BOB), call.id, Manner())
    assert await call.told() == []


async def test_stale_reconnect_reopens_a_room(call: RecordedCall) -> None:
    await call.run()
    await end_call(call.on.world, session(ALICE), call.id)
    await call.on.rooms.create_room(call.room_name, max_participants=10)
    await call.room.join(BOB)
    assert call.room_name not in call.on.rooms.rooms
    assert (await call.on.call(call.id))["status"] == "ended"


async def test_ghost_after_a_client_ran_out_of_memory(call: RecordedCall) -> None:
    await call.run()
    await call.room.leave(CAROL, "connection_timeout")
    call.on.clock.advance(61)
    await run_timeouts(call.on.world)
    assert (await call.on.participant(call.id, CAROL))["status"] == "left"
    assert await call.status() == "recording"
