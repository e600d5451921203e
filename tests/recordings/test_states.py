"""Every end that LiveKit's egress can have, however the service hears of it."""

import pytest

from domain.recordings.actions.pause import pause_recording, resume_recording
from domain.recordings.actions.stop import stop_recording
from domain.recordings.ending.deadlines import end_due
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, session

pytestmark = pytest.mark.anyio

# LiveKit's status and code → what is uploaded by then, and the part: status, reason, sentence.
ENDS = {
    "complete": ("complete", 0, True, ("ready", "lost", None)),
    "limit": ("limit_reached", 413, True, ("ready", "limit", None)),
    "upload refused": ("failed", 400, True, ("ready", "storage", "The store refused what was recorded.")),
    "out of memory": ("failed", 403, True, ("ready", "lost", "The recorder ran out of memory or time.")),
    "worker died": ("failed", 500, True, ("ready", "lost", "The recorder broke down.")),
    "failed with nothing": ("failed", 0, False, ("failed", "lost", "The recorder failed.")),
    "aborted": ("aborted", 412, False, ("failed", "lost", "Nobody sent anything to record.")),
}
WAYS = ("webhook", "look", "webhook, look", "look, webhook", "webhook, webhook")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ENDS)
async def test_ends(call: RecordedCall, end: str, way: str) -> None:
    status, code, uploaded, expected = ENDS[end]
    recording_id = await call.run(segments=3 if uploaded else 0)
    call.on.recorder.become("EG_1", status, code)  # type: ignore[arg-type]
    for word in way.split(", "):
        if word == "webhook":
            await call.tell("EG_1")
        else:
            call.on.clock.advance(4)
            await call.turn()
    await call.turn()
    first, second = await call.parts()
    assert (first["status"], first["end_reason"], first["error_message"]) == expected
    assert (second["status"], second["egress_id"]) == ("starting", "EG_2")
    await call.active(2)
    assert await call.status() == "recording"
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_2")
    assert await call.status() == "ready"
    assert (await call.told())[-2:] == ["recording_stopped", "recording_ready"]


async def test_an_active_that_comes_late_moves_nothing_back(call: RecordedCall) -> None:
    recording_id = await call.run()
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    call.on.recorder.become("EG_1", "active")
    await call.tell("EG_1")
    assert (await call.status(), (await call.parts())[0]["status"]) == ("ready", "ready")


async def test_nobody_sends_anything_for_two_minutes(call: RecordedCall) -> None:
    await call.start()
    await call.pass_time(116)
    assert await call.status() == "starting"
    await call.pass_time(8)
    assert await call.status() == "failed"
    assert call.on.recorder.egresses["EG_1"].status == "aborted"
    assert call.on.recorder.asked["start"] == 1
    assert (await call.told())[-1] == "recording_failed"


async def test_a_recorder_that_is_lost_again_and_again(call: RecordedCall) -> None:
    await call.run()
    for number in range(1, 6):
        call.on.recorder.become(f"EG_{number}", "failed", 500)
        await call.tell(f"EG_{number}")
        await call.pass_time(16)
    assert call.on.recorder.asked["start"] == 5
    row = await call.recording()
    assert (row["status"], row["duration"]) == ("ready", 12)
    assert [event.payload.get("reason") for event in await call.on.events(call.id) if event.kind == "recording_stopped"] == ["lost"]


async def test_whoever_pauses_often_has_lost_nothing(call: RecordedCall) -> None:
    recording_id = await call.run()
    for number in range(1, 6):
        await pause_recording(call.on.world, session(ALICE), recording_id)
        await call.turn()
        await call.complete(f"EG_{number}")
        await resume_recording(call.on.world, session(ALICE), recording_id)
        await call.turn()
        await call.active()
    call.on.recorder.become("EG_6", "failed", 500)
    await call.tell("EG_6")
    await call.turn()
    await call.active()
    assert (await call.status(), len(await call.parts())) == ("recording", 7)


async def test_a_store_that_is_away_loses_nothing(call: RecordedCall) -> None:
    recording_id = await call.run()
    call.on.store.down = True
    await call.pass_time(60)
    assert list(call.on.recorder.egresses) == ["EG_1"]
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    await call.pass_time(60)
    assert await call.status() == "processing"
    call.on.store.down = False
    await call.pass_time(32)
    assert await call.status() == "ready"


@pytest.mark.parametrize("away", [16 * 60, 24 * 3600])
async def test_a_store_that_is_away_for_long_has_what_was_uploaded(call: RecordedCall, away: int) -> None:
    recording_id = await call.run()
    call.on.store.down = True
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    await call.pass_time(away, step=away / 30)
    row = await call.recording()
    assert (row["status"], row["error_message"]) == ("processing", "The store could not be reached.")
    call.on.store.down = False
    await call.pass_time(32)
    row, (part,) = await call.recording(), await call.parts()
    assert (row["status"], row["error_message"], row["duration"]) == ("ready", None, 12)
    assert (part["status"], part["segments"], part["error_message"]) == ("ready", 3, None)


async def test_a_store_that_is_back_and_has_nothing(call: RecordedCall) -> None:
    recording_id = await call.run(segments=0)
    call.on.store.down = True
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    call.on.recorder.become("EG_1", "failed", 500)
    await call.tell("EG_1")
    await call.pass_time(16 * 60, step=32)
    assert await call.status() == "processing"
    call.on.store.down = False
    await call.pass_time(32)
    row = await call.recording()
    assert (row["status"], row["error_message"]) == ("failed", "The recorder broke down.")


async def test_an_earlier_part_waits_for_the_store_while_the_next_is_recorded(call: RecordedCall) -> None:
    await call.run()
    call.on.recorder.become("EG_1", "failed", 500)
    await call.tell("EG_1")
    call.on.store.down = True
    await call.pass_time(16 * 60, step=32)
    first, *_ = await call.parts()
    assert (first["status"], first["segments"]) == ("processing", 3)
    call.on.store.down = False
    await call.pass_time(32)
    first, *_ = await call.parts()
    assert (first["status"], first["segments"], await call.status()) == ("ready", 3, "recording")


async def test_a_recorder_that_dies_while_it_uploads(call: RecordedCall) -> None:
    recording_id = await call.run()
    await stop_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.leave("EG_1")
    call.on.recorder.dead.add("EG_1")
    await call.pass_time(12)
    assert await call.status() == "processing"
    await call.pass_time(8)
    row = await call.recording()
    assert (row["status"], row["duration"], row["file_path"]) == ("ready", 12, None)


async def test_a_resume_that_comes_to_nothing(call: RecordedCall) -> None:
    recording_id = await call.run()
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.leave("EG_1")
    call.on.recorder.no_worker = True
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    assert await call.status() == "paused"
    assert (await call.told())[-1] == "recording_failed"
    call.on.recorder.no_worker = False
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.active(1)
    assert await call.status() == "recording"


async def test_a_pause_of_an_hour(call: RecordedCall) -> None:
    recording_id = await call.run()
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    assert await call.status() == "paused"
    await call.pass_time(59 * 60, step=60)
    assert await call.status() == "paused"
    await call.pass_time(120, step=60)
    assert await call.status() == "ready"
    assert [event.payload.get("reason") for event in await call.on.events(call.id) if event.kind == "recording_stopped"] == [
        "pause_too_long"
    ]


async def test_the_longest_recording_counts_media_alone(call: RecordedCall) -> None:
    recording_id = await call.run()
    limit = call.on.world.limits.max_recording
    await pause_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.complete("EG_1")
    call.on.clock.advance(3000)
    await resume_recording(call.on.world, session(ALICE), recording_id)
    await call.turn()
    await call.active(1)
    call.on.clock.advance(limit - 60)
    await end_due(call.on.world)
    assert await call.status() == "recording"
    call.on.clock.advance(60)
    await end_due(call.on.world)
    assert await call.status() == "processing"
    assert (await call.on.events(call.id))[-1].payload["reason"] == "too_long"
