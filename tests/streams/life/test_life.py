"""From the plan to the end, with a room, a recorder and a store that do what the test says."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.errors import NotAllowed, StreamNotLive
from domain.streams.actions.start import start_new_stream, start_stream
from domain.streams.actions.stop import cancel_stream, stop_stream
from domain.streams.actions.token import refresh_stream_token
from domain.streams.planning import StreamPlan
from tests.streams.life.staged_stream import StagedStream, plan_stream
from tests.support.domain_setup import ALICE, BOB, GENERAL, MOD, Setup, session

pytestmark = pytest.mark.anyio


async def test_from_the_plan_to_the_end(stream: StagedStream) -> None:
    on = stream.on
    assert await stream.is_now() == "scheduled"
    token = await stream.begin()
    assert token is not None and token.startswith(f"{stream.room_name}/{ALICE}/Alice/0#")
    assert (await stream.is_now(), on.rooms.stay_empty[stream.room_name]) == ("starting", 3600)
    assert (await stream.row())["room_sid"] == on.rooms.rooms[stream.room_name].sid
    await stream.turn()
    assert on.recorder.egresses == {}, "nobody sends yet"

    await stream.room.join(ALICE, "camera", "microphone")
    await stream.turn()
    assert (on.recorder.wanted["EG_1"].room, on.recorder.wanted["EG_1"].file) == (stream.room_name, False)
    on.recorder.become("EG_1", "active")
    await stream.tell("EG_1")
    await stream.turn()
    assert await stream.is_now() == "starting", "the recorder runs, and nothing of it is in the store"
    stream.upload("EG_1", 1)
    on.publisher.topics()
    await stream.pass_time(4)
    row = await stream.row()
    assert (row["status"], row["started_at"]) == ("live", on.clock.now())
    assert f"stream:{stream.id}" in on.publisher.topics()

    on.clock.advance(4)
    stopped = await stop_stream(on.world, session(ALICE), stream.id)
    assert (stopped.duration, await stream.is_now(), stopped.recording_url) == (4, "ending", None)
    await stream.turn()
    assert (on.recorder.egresses["EG_1"].status, await stream.is_now()) == ("ending", "ending")
    await stream.complete("EG_1", segments=5)
    row, recording = await stream.row(), await stream.recording()
    assert (row["status"], row["ended_at"], row["room_closed_at"]) == ("ended", on.clock.now(), on.clock.now())
    assert stream.room_name not in on.rooms.rooms
    assert (recording["id"], recording["status"], recording["duration"]) == (row["recording_id"], "ready", 20)
    assert (recording["keep"], recording["expires_at"] - recording["ended_at"]) == (False, timedelta(hours=24))
    assert (recording["file_path"], recording["join_progress"]) == (None, None)
    assert await on.database.fetchval("SELECT count(*) FROM nchat_event_outbox") == 0


async def test_a_stream_that_is_recorded_is_kept_as_other_recordings(on: Setup) -> None:
    stream = await plan_stream(on, record=True)
    await stream.go_live()
    assert on.recorder.wanted["EG_1"].file
    await stop_stream(on.world, session(ALICE), stream.id)
    await stream.turn()
    await stream.complete("EG_1")
    recording = await stream.recording()
    assert (recording["status"], recording["title"], recording["started_by"]) == ("ready", "Friday", ALICE)
    assert recording["file_path"].endswith("/recording.mp4")
    assert (recording["expires_at"] - recording["ended_at"]).days == 30
    told = await on.database.fetchval("SELECT payload ->> 'streamId' FROM nchat_event_outbox")
    assert told == str(stream.id)


async def test_a_repeated_start_gives_a_new_token(stream: StagedStream) -> None:
    first, second = await stream.begin(), await stream.begin()
    assert first != second and await stream.is_now() == "starting"
    await stream.room.join(ALICE, "camera")
    await stream.turn()
    await stream.active()
    assert await stream.is_now() == "live"
    assert await stream.begin() is not None
    assert len(await stream.parts()) == 1
    token = (await refresh_stream_token(stream.on.world, session(ALICE), stream.id)).token
    assert token.startswith(stream.room_name)


async def test_a_repeated_request_is_one_stream(on: Setup) -> None:
    plan = StreamPlan(GENERAL, "Friday", client_request_id=uuid4())
    first = await start_new_stream(on.world, session(ALICE), plan)
    second = await start_new_stream(on.world, session(ALICE), plan)
    assert first.stream_id == second.stream_id and second.ticket is not None
    await stop_stream(on.world, session(ALICE), first.stream_id)
    third = await start_new_stream(on.world, session(ALICE), plan)
    assert (third.stream_id, third.ticket) == (first.stream_id, None)
    assert await on.database.fetchval("SELECT count(*) FROM nchat_call_recordings") == 1


async def test_stopped_while_starting(stream: StagedStream) -> None:
    await stream.begin()
    await stream.room.join(ALICE, "camera")
    await stream.turn()
    stopped = await stop_stream(stream.on.world, session(ALICE), stream.id)
    assert (stopped.duration, await stream.is_now(), await stream.failure()) == (0, "cancelled", None)
    assert stream.room_name not in stream.on.rooms.rooms and (await stream.row())["room_closed_at"] is not None
    await stream.turn()
    assert stream.on.recorder.egresses["EG_1"].status == "aborted"
    again = await stop_stream(stream.on.world, session(ALICE), stream.id)
    assert again.duration == 0
    with pytest.raises(StreamNotLive):
        await start_stream(stream.on.world, session(ALICE), stream.id)


async def test_called_off(stream: StagedStream) -> None:
    with pytest.raises(StreamNotLive):
        await stop_stream(stream.on.world, session(ALICE), stream.id)
    for _ in range(2):
        await cancel_stream(stream.on.world, session(ALICE), stream.id)
        assert await stream.is_now() == "cancelled"
    assert (await stream.row())["room_closed_at"] is not None
    assert stream.on.rooms.asked["delete_room"] == 0


async def test_a_live_stream_is_not_called_off(stream: StagedStream) -> None:
    await stream.go_live()
    with pytest.raises(StreamNotLive):
        await cancel_stream(stream.on.world, session(ALICE), stream.id)
    assert await stream.is_now() == "live"


async def test_admin_stops_and_a_moderator_does_not(stream: StagedStream) -> None:
    await stream.go_live()
    for who in (session(MOD, "moderator"), session(BOB)):
        with pytest.raises(NotAllowed):
            await stop_stream(stream.on.world, who, stream.id)
    assert await stream.is_now() == "live"
    await stop_stream(stream.on.world, session(MOD, "admin"), stream.id)
    assert await stream.is_now() == "ending"
