"""Individual tracks: a part for each, of which LiveKit takes all, some or none."""

from dataclasses import replace

import pytest

from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.recorder.tracks import record_new_tracks
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, session

pytestmark = pytest.mark.anyio
TRACKS = Manner("individual_tracks")


async def all_active(call: RecordedCall, segments: int = 2) -> None:
    """Every egress that has begun writes, and has uploaded so much."""
    for egress in [one for one in call.on.recorder.egresses.values() if one.status == "starting"]:
        call.on.recorder.become(egress.id, "active")
        await call.tell(egress.id)
        call.upload(egress.id, segments)
    call.on.clock.advance(4)
    await call.turn()


async def all_complete(call: RecordedCall, segments: int = 2) -> None:
    """Every egress that was asked to end has."""
    for egress in [one for one in call.on.recorder.egresses.values() if one.status == "ending"]:
        await call.leave(egress.id)
        await call.complete(egress.id, segments=segments)


async def test_a_track_is_recorded_after_any_number_of_pauses(call: RecordedCall) -> None:
    recording_id = await call.start(TRACKS)
    await all_active(call)
    for _ in range(6):
        await pause_recording(call.on.world, session(ALICE), recording_id)
        await call.turn()
        await all_complete(call)
        assert await call.status() == "paused"
        await resume_recording(call.on.world, session(ALICE), recording_id)
        await call.turn()
        await all_active(call)
        assert await call.status() == "recording"
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await all_complete(call)
    row, parts = await call.recording(), await call.parts()
    assert (len(parts), {part["status"] for part in parts}) == (3 * 7, {"ready"})
    assert (row["status"], row["duration"]) == ("ready", 7 * 8)


async def test_a_track_that_is_lost_again_and_again_rests_for_a_while(call: RecordedCall) -> None:
    await call.start(TRACKS)
    await all_active(call)
    while len(lost := [one for one in call.on.recorder.egresses.values() if one.status == "active"]) == 3:
        for egress in lost:
            call.on.recorder.become(egress.id, "failed", 500)
            await call.tell(egress.id)
        await call.pass_time(4)
        await all_active(call)
    assert call.on.recorder.asked["start"] == 3 * 5
    call.on.clock.advance(600)
    await record_new_tracks(call.on.world)
    await call.turn()
    assert call.on.recorder.asked["start"] == 3 * 6


async def test_no_recorder_at_all(call: RecordedCall) -> None:
    call.on.recorder.no_worker = True
    await call.start(TRACKS)
    row = await call.recording()
    assert (row["status"], row["error_message"]) == ("failed", "No recorder answered.")
    assert await call.told() == ["recording_started", "recording_failed"]
    assert call.on.recorder.asked["start"] == 3


async def test_nobody_publishes_for_two_minutes(call: RecordedCall) -> None:
    present = call.on.rooms.people[call.room_name]
    call.on.rooms.people[call.room_name] = {identity: replace(one, tracks=()) for identity, one in present.items()}
    await call.start(TRACKS)
    await call.pass_time(116)
    assert await call.status() == "starting"
    await call.pass_time(8)
    assert (await call.status(), await call.told()) == ("failed", ["recording_started", "recording_stopped", "recording_failed"])
    assert call.on.recorder.asked["start"] == 0


async def test_a_resume_that_comes_to_nothing(call: RecordedCall) -> None:
    recording_id = await call.start(TRACKS)
    await all_active(call)
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await all_complete(call)
    call.on.recorder.no_worker = True
    call.on.clock.advance(4)
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    assert (await call.status(), (await call.told())[-1]) == ("paused", "recording_failed")
    call.on.recorder.no_worker = False
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await all_active(call)
    assert (await call.status(), (await call.told())[-1]) == ("recording", "recording_resumed")
