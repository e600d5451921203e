"""What becomes of a stream with time: nobody comes, the host is lost, the recorder dies, nothing is stored."""

import pytest

from domain.errors import MediaUnavailable
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import stop_stream
from tests.streams.life.staged_stream import StagedStream
from tests.support.domain_setup import ALICE, session

pytestmark = pytest.mark.anyio


async def test_a_host_who_never_comes(stream: StagedStream) -> None:
    await stream.begin()
    await stream.pass_time(296, step=148)
    assert await stream.is_now() == "starting"
    await stream.pass_time(4)
    assert (await stream.is_now(), await stream.failure()) == ("cancelled", "never_began")
    assert (await stream.recording())["status"] == "failed"
    assert stream.room_name not in stream.on.rooms.rooms


async def test_a_host_who_comes_late(stream: StagedStream) -> None:
    """The recorder has its two minutes from the first track on."""
    await stream.begin()
    await stream.pass_time(240, step=120)
    await stream.room.join(ALICE, "camera")
    await stream.turn()
    await stream.pass_time(20)
    await stream.active()
    assert await stream.is_now() == "live"


async def test_nobody_starts_it(stream: StagedStream) -> None:
    stream.on.clock.advance(24 * 3600 - 1)
    await stream.turn()
    assert await stream.is_now() == "scheduled"
    stream.on.clock.advance(1)
    await stream.turn()
    assert (await stream.is_now(), await stream.failure()) == ("cancelled", "never_started")


async def test_a_host_who_is_lost_and_back(stream: StagedStream) -> None:
    await stream.go_live()
    stream.on.publisher.topics()
    await stream.room.leave(ALICE, "signal_close")
    assert (await stream.row())["host_gone_since"] is not None
    assert f"stream:{stream.id}" in stream.on.publisher.topics()
    stream.on.clock.advance(56)
    assert await stream.is_now() == "live"
    await stream.room.join(ALICE, "camera")
    row = await stream.row()
    assert (row["host_gone_since"], row["status"]) == (None, "live")
    assert f"stream:{stream.id}" in stream.on.publisher.topics()
    stream.upload("EG_1", 20)
    await stream.pass_time(4)
    assert await stream.is_now() == "live"


async def test_a_host_who_is_lost(stream: StagedStream) -> None:
    await stream.go_live()
    await stream.room.leave(ALICE, "signal_close")
    for segments in range(4, 11):
        stream.upload("EG_1", segments)
        await stream.pass_time(10, step=10)
    assert (await stream.is_now(), await stream.failure()) == ("ending", "host_gone")
    await stream.turn()
    await stream.complete("EG_1", segments=11)
    assert await stream.is_now() == "ended"


async def test_a_dead_recorder_is_followed_by_another(stream: StagedStream) -> None:
    await stream.go_live()
    stream.on.recorder.dead.add("EG_1")
    await stream.pass_time(16)
    assert (list(stream.on.recorder.egresses), await stream.is_now()) == (["EG_1", "EG_2"], "live")
    await stream.active(4)
    assert await stream.is_now() == "live"
    await stop_stream(stream.on.world, session(ALICE), stream.id)
    await stream.turn()
    await stream.complete("EG_2", segments=4)
    recording = await stream.recording()
    assert (await stream.is_now(), recording["status"], recording["duration"]) == ("ended", "ready", 28)
    assert '"reason": "lost"' in recording["gaps"]


async def test_no_recorder(stream: StagedStream) -> None:
    stream.on.recorder.no_worker = True
    await stream.begin()
    await stream.room.join(ALICE, "camera")
    await stream.turn()
    assert (await stream.is_now(), await stream.failure()) == ("cancelled", "not_recorded")


async def test_recorders_that_die_again_and_again_end_it(stream: StagedStream) -> None:
    await stream.go_live()
    for _ in range(5):
        stream.on.recorder.dead.add(stream.on.recorder.last)
        await stream.pass_time(36, step=12)
        if stream.on.recorder.last not in stream.on.recorder.dead:
            await stream.active()
    assert (await stream.is_now(), await stream.failure()) == ("ended", "media_lost")
    assert len(stream.on.recorder.egresses) == 5


async def test_what_is_not_stored_is_not_waited_for(stream: StagedStream) -> None:
    await stream.go_live()
    await stop_stream(stream.on.world, session(ALICE), stream.id)
    await stream.turn()
    stream.on.store.down = True
    stream.on.recorder.become("EG_1", "complete")
    await stream.tell("EG_1")
    await stream.pass_time(56, step=28)
    assert await stream.is_now() == "ending"
    await stream.pass_time(4)
    assert (await stream.is_now(), (await stream.recording())["status"]) == ("ended", "processing")
    stream.on.store.down = False
    await stream.pass_time(32, step=16)
    assert (await stream.recording())["status"] == "ready"


async def test_a_media_server_that_fails_cancels_it(stream: StagedStream) -> None:
    stream.on.rooms.broken.add("create_room")
    with pytest.raises(MediaUnavailable):
        await start_stream(stream.on.world, session(ALICE), stream.id)
    assert (await stream.is_now(), await stream.failure()) == ("cancelled", "media_unavailable")
    assert (await stream.recording())["status"] == "failed"


async def test_a_stream_that_is_shown_to_fewer_goes_on_in_another_part(stream: StagedStream) -> None:
    await stream.on.database.execute("UPDATE nchat_streams SET visibility = 'public' WHERE id = $1", stream.id)
    await stream.go_live()
    await stream.on.database.execute("UPDATE nchat_streams SET visibility = 'channel_members' WHERE id = $1", stream.id)
    await stream.turn()
    assert stream.on.recorder.egresses["EG_1"].status == "ending"
    await stream.complete("EG_1")
    await stream.active(2)
    first, second = await stream.parts()
    assert (await stream.is_now(), second["status"], first["path_prefix"] == second["path_prefix"]) == ("live", "recording", False)
