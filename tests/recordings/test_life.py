"""From the button to the file, with a recorder and a store that do what the test says."""

import asyncio
from dataclasses import replace

import pytest

from domain.calls.actions.end import end_call
from domain.calls.actions.role import set_participant_role
from domain.errors import AlreadyRecording, MediaUnavailable, NotAllowed, NotFound, NotRecording
from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.start import start_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, BOB, MALLORY, session

pytestmark = pytest.mark.anyio


async def test_from_the_button_to_the_file(call: RecordedCall) -> None:
    recording_id = await call.start()
    assert await call.status() == "starting"
    await call.active()
    assert await call.status() == "recording"
    (part,) = await call.parts()
    assert (part["status"], part["segments"], part["egress_id"]) == ("recording", 3, "EG_1")
    assert part["media_started_at"] is not None

    await stop_recording(call.on.world, session(ALICE), recording_id)
    assert await call.status() == "processing"
    await call.turn()
    assert call.on.recorder.egresses["EG_1"].status == "ending"
    await call.complete("EG_1", segments=5)
    row = await call.recording()
    assert (row["status"], row["duration"], row["file_size"], row["gaps"]) == ("ready", 20, 6, "[]")
    assert row["file_path"].endswith("/recording.mp4")
    assert row["thumbnail_path"].endswith("/picture_00000.jpeg")
    assert row["media_started_at"] == (await call.parts())[0]["media_started_at"]
    assert (row["expires_at"] - row["ended_at"]).days == 30
    assert await call.told() == ["recording_started", "recording_stopped", "recording_ready"]


async def test_a_pause_is_when_the_recorder_has_left(call: RecordedCall) -> None:
    recording_id = await call.run()
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    assert await call.status() == "recording"
    await call.leave("EG_1")
    assert await call.status() == "paused"
    await call.complete("EG_1")
    assert await call.status() == "paused"

    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    assert await call.status() == "paused"
    call.on.clock.advance(30)
    await call.active(2)
    assert await call.status() == "recording"
    assert await call.told() == ["recording_started", "recording_paused", "recording_resumed"]
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_2", segments=2)
    row = await call.recording()
    assert (row["status"], row["duration"], row["file_path"]) == ("ready", 20, None)
    assert '"reason": "paused"' in row["gaps"]


async def test_a_dead_recorder_is_followed_by_another(call: RecordedCall) -> None:
    recording_id = await call.run()
    call.on.recorder.dead.add("EG_1")
    await call.pass_time(16)
    assert list(call.on.recorder.egresses) == ["EG_1", "EG_2"]
    await call.active(4)
    assert await call.status() == "recording"
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_2", segments=4)
    row = await call.recording()
    assert (row["status"], row["duration"]) == ("ready", 28)
    assert '"reason": "lost"' in row["gaps"]


async def test_segments_stay_as_long_as_they_were_when_the_recording_began(call: RecordedCall) -> None:
    """Whatever the settings say by then: its playlist has promised that, and death is counted in them."""
    call.on.world = replace(call.on.world, limits=replace(call.on.world.limits, segment_seconds=10))
    recording_id = await call.run()
    call.on.world = replace(call.on.world, limits=replace(call.on.world.limits, segment_seconds=2))
    await call.pass_time(12)
    assert list(call.on.recorder.egresses) == ["EG_1"]
    call.on.recorder.dead.add("EG_1")
    await call.pass_time(20)
    assert list(call.on.recorder.egresses) == ["EG_1", "EG_2"]
    assert [one.segment_seconds for one in call.on.recorder.wanted.values()] == [10, 10]
    assert [part["segment_seconds"] for part in await call.parts()] == [10, 10]
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_2")
    await call.run()
    assert call.on.recorder.wanted["EG_3"].segment_seconds == 2


async def test_a_store_that_stumbles_kills_no_recorder_of_short_segments(call: RecordedCall) -> None:
    call.on.world = replace(call.on.world, limits=replace(call.on.world.limits, segment_seconds=1))
    await call.run()
    await call.pass_time(8)
    assert list(call.on.recorder.egresses) == ["EG_1"]
    await call.pass_time(8)
    assert list(call.on.recorder.egresses) == ["EG_1", "EG_2"]


async def test_no_recorder_at_all(call: RecordedCall) -> None:
    call.on.recorder.no_worker = True
    await call.start()
    row = await call.recording()
    assert (row["status"], row["error_message"]) == ("failed", "No recorder answered.")
    assert await call.told() == ["recording_started", "recording_failed"]
    assert call.on.recorder.asked["start"] == 1


async def test_a_call_that_ends_ends_its_recording(call: RecordedCall) -> None:
    await call.run()
    await end_call(call.on.world, session(ALICE), call.id)
    await call.turn()
    assert await call.status() == "processing"
    await call.complete("EG_1")
    assert await call.status() == "ready"


async def test_an_answer_that_was_lost_is_found_again(call: RecordedCall) -> None:
    call.on.recorder.forgets_answer = True
    await call.start()
    call.on.recorder.forgets_answer = False
    await call.pass_time(4)
    assert [part["egress_id"] for part in await call.parts()] == ["EG_1"]
    assert call.on.recorder.asked["start"] == 1


async def test_who_may_not(call: RecordedCall) -> None:
    world = call.on.world
    with pytest.raises(NotAllowed):
        await start_recording(world, session(BOB), call.id, Manner())
    with pytest.raises(NotFound):
        await start_recording(world, session(MALLORY), call.id, Manner())
    call.on.rooms.broken.add("list_rooms")
    with pytest.raises(MediaUnavailable):
        await start_recording(world, session(ALICE), call.id, Manner())
    assert await call.told() == []
    call.on.rooms.broken.clear()
    recording_id = await call.run()
    with pytest.raises(AlreadyRecording):
        await start_recording(world, session(ALICE), call.id, Manner())
    for act in (pause_recording, resume_recording, stop_recording):
        with pytest.raises(NotFound):
            await act(world, session(MALLORY), recording_id)
        with pytest.raises(NotAllowed):
            await act(world, session(BOB), recording_id)
    with pytest.raises(NotRecording):
        await resume_recording(world, session(ALICE), recording_id)
    assert await call.status() == "recording"
    assert await call.told() == ["recording_started"]


async def test_two_hosts_press_at_once(call: RecordedCall) -> None:
    await set_participant_role(call.on.world, session(ALICE), call.id, (await call.on.participant(call.id, BOB))["id"], "co_host")
    pressed = await asyncio.gather(
        *(start_recording(call.on.world, session(who), call.id, Manner()) for who in (ALICE, BOB) * 5), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in pressed) == ["AlreadyRecording"] * 9 + ["StartedResult"]
    await call.turn()
    assert call.on.recorder.asked["start"] == 1
    assert await call.told() == ["recording_started"]
