"""What LiveKit tells of a stream's room, late, twice or never; and what the reconciler makes of it."""

from dataclasses import replace

import pytest

from domain.admission import Entrance, admitted
from domain.ports import Room
from domain.streams.actions.start import start_stream
from domain.streams.actions.stop import stop_stream
from domain.streams.ingress.issuing import IDENTITY, want
from domain.streams.rows import lock_stream
from domain.streams.viewers.joining import join_stream
from tests.streams.life.staged_stream import StagedStream
from tests.support.domain_setup import ALICE, BOB, CAROL, session
from tests.support.fake_rooms import FakeRooms
from tests.support.telling_rooms import deliver, participant, published, slim

pytestmark = pytest.mark.anyio


async def encoder_of(stream: StagedStream) -> str:
    """The stream gets an ingress, another one each time; how its encoder is called in the room."""
    async with stream.on.world.transaction("test.want") as tx:
        locked = await lock_stream(tx, stream.id)
        assert locked is not None
        return IDENTITY.format(await want(tx, locked, "rtmp", stream.on.clock.now()))


class Died(BaseException):
    """The process is gone."""


class DeadlyRooms(FakeRooms):
    """Whoever asks for a room dies."""

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        raise Died(name, max_participants, empty_timeout)


async def test_every_webhook_twice(stream: StagedStream) -> None:
    await stream.go_live()
    for told in list(stream.room.told):
        await deliver(stream.on, told)
    await stream.turn()
    assert (await stream.is_now(), len(await stream.parts())) == ("live", 1)


async def test_a_track_that_is_told_after_its_end(stream: StagedStream) -> None:
    await stream.begin()
    stream.room.silent = True
    arrived = await stream.room.join(ALICE, "camera")
    await stream.room.leave(ALICE)
    joined, track, gone, left = stream.room.told
    await deliver(stream.on, gone, left, joined, track)
    assert (await stream.senders(), await stream.parts()) == ({}, [])
    assert arrived.sid


async def test_the_end_of_an_older_connection_changes_nothing(stream: StagedStream) -> None:
    await stream.go_live()
    first = stream.on.rooms.people[stream.room_name][str(ALICE)]
    second = await stream.room.join(ALICE, "camera")
    await stream.room.tell("participant_left", participant(first, reason="signal_close"))
    assert (await stream.senders(), (await stream.row())["host_gone_since"]) == ({str(ALICE): second.sid}, None)


async def test_a_host_who_is_only_in_the_room_does_not_send(stream: StagedStream) -> None:
    await stream.begin()
    await stream.room.join(ALICE)
    await stream.turn()
    assert (await stream.parts(), await stream.senders()) == ([], {})


async def test_an_encoder_sends_for_the_host(stream: StagedStream) -> None:
    await stream.begin()
    await stream.room.join(await encoder_of(stream), "camera", "microphone")
    await stream.turn()
    await stream.active()
    assert await stream.is_now() == "live"


@pytest.mark.parametrize("silent", [False, True], ids=["told", "seen by the reconciler alone"])
async def test_a_stream_has_its_host_until_the_last_who_sends_is_gone(stream: StagedStream, silent: bool) -> None:
    """A browser tab that closes takes nothing from an encoder that sends, nor the other way round, nor a second device."""
    await stream.begin()
    encoder, beside = await encoder_of(stream), f"{ALICE}#phone"
    for one in (encoder, str(ALICE), beside):
        await stream.room.join(one, "camera")
    await stream.turn()
    await stream.active()
    stream.on.publisher.topics()
    stream.room.silent = silent
    for gone, left in ((str(ALICE), {encoder, beside}), (encoder, {beside}), (beside, set())):
        await stream.room.leave(gone, "signal_close")
        if silent:
            await stream.compare()
        assert set(await stream.senders()) == left
        assert ((await stream.row())["host_gone_since"] is None) == bool(left)
    assert await stream.is_now() == "live"


async def test_a_silent_livekit_ends_no_stream_that_somebody_sends_to(stream: StagedStream) -> None:
    await stream.go_live()
    await stream.room.join(await encoder_of(stream), "camera", "microphone")
    await stream.room.leave(ALICE)
    stream.on.rooms.broken |= {"list_participants", "all_rooms"}
    for segments in range(4, 24):
        stream.upload("EG_1", segments)
        await stream.pass_time(4)
    assert (await stream.is_now(), (await stream.row())["host_gone_since"]) == ("live", None)


@pytest.mark.parametrize("silent", [False, True], ids=["told", "seen by the reconciler alone"])
async def test_an_encoder_with_a_retired_key_is_put_out_and_begins_nothing(stream: StagedStream, silent: bool) -> None:
    """LiveKit lets it in until it has confirmed that the ingress is gone; so does an encoder of nobody's."""
    await stream.begin()
    retired, now_wanted = await encoder_of(stream), await encoder_of(stream)
    stream.room.silent = silent
    for stranger in (retired, "ingress:of-nobody"):
        await stream.room.join(stranger, "camera", "microphone")
    if silent:
        await stream.compare()
    else:
        await stream.turn()
    assert stream.on.rooms.people[stream.room_name] == {}
    assert (await stream.parts(), await stream.senders(), await stream.is_now()) == ([], {}, "starting")
    await stream.room.join(now_wanted, "camera", "microphone")
    await stream.compare()
    assert set(stream.on.rooms.people[stream.room_name]) == set(await stream.senders()) == {now_wanted}


async def test_an_encoder_whose_key_is_retired_while_it_sends_is_put_out(stream: StagedStream) -> None:
    await stream.begin()
    retired = await encoder_of(stream)
    await stream.room.join(retired, "camera", "microphone")
    await stream.turn()
    await stream.active()
    await encoder_of(stream)
    await stream.compare()
    assert stream.on.rooms.people[stream.room_name] == {}
    row = await stream.row()
    assert (row["status"], await stream.senders(), row["host_gone_since"] is not None) == ("live", {}, True)


async def test_strangers_are_put_out_and_viewers_are_not(stream: StagedStream) -> None:
    await stream.go_live()
    joined = await join_stream(stream.on.world, session(CAROL), stream.id, webrtc=True)
    watching = f"viewer:{joined.viewer_id}"
    await stream.room.join(watching)
    await stream.room.join(BOB)
    assert set(stream.on.rooms.people[stream.room_name]) == {str(ALICE), watching}
    stream.room.silent = True
    await stream.room.join(BOB, "camera")
    await stream.compare()
    assert set(stream.on.rooms.people[stream.room_name]) == {str(ALICE), watching}
    assert await stream.is_now() == "live"


async def test_webhooks_that_are_lost(stream: StagedStream) -> None:
    stream.room.silent = True
    await stream.begin()
    await stream.room.join(ALICE, "camera")
    await stream.compare()
    assert list(stream.on.recorder.egresses) == ["EG_1"]
    await stream.active()
    assert await stream.is_now() == "live"
    await stream.room.leave(ALICE)
    await stream.compare()
    assert (await stream.row())["host_gone_since"] is not None
    back = await stream.room.join(ALICE, "camera")
    await stream.compare()
    assert ((await stream.row())["host_gone_since"], await stream.senders()) == (None, {str(ALICE): back.sid})


async def test_livekit_restarts(stream: StagedStream) -> None:
    await stream.go_live()
    earlier = stream.room.sid
    stream.on.rooms.rooms.clear()
    stream.on.rooms.people.clear()
    await stream.compare()
    row = await stream.row()
    assert (row["room_sid"], row["room_sid"] == earlier) == (stream.room.sid, False)
    assert (row["status"], row["host_gone_since"] is not None) == ("live", True)
    await stream.room.join(ALICE, "camera")
    assert (await stream.row())["host_gone_since"] is None


async def test_a_room_that_closes_is_opened_again(stream: StagedStream) -> None:
    await stream.go_live()
    await stream.room.finish()
    assert stream.room_name in stream.on.rooms.rooms
    row = await stream.row()
    assert (row["status"], row["room_sid"]) == ("live", stream.room.sid)


async def test_a_service_that_dies_before_the_room_is_made(stream: StagedStream) -> None:
    with pytest.raises(Died):
        await start_stream(replace(stream.on.world, rooms=DeadlyRooms()), session(ALICE), stream.id)
    assert (await stream.is_now(), stream.on.rooms.rooms) == ("starting", {})
    await stream.compare()
    assert (await stream.is_now(), (await stream.row())["room_sid"]) == ("starting", stream.room.sid)


async def test_the_room_of_a_stream_that_is_over(stream: StagedStream) -> None:
    await stream.go_live()
    await stop_stream(stream.on.world, session(ALICE), stream.id)
    stream.on.rooms.broken.add("delete_room")
    await stream.turn()
    await stream.complete("EG_1")
    row = await stream.row()
    assert (row["status"], row["room_closed_at"]) == ("ended", None)
    stream.on.rooms.broken.clear()
    await stream.compare()
    await stream.compare()
    assert stream.room_name not in stream.on.rooms.rooms
    assert (await stream.row())["room_closed_at"] is not None
    # Somebody with an old token, where LiveKit opens rooms by itself.
    await stream.on.rooms.create_room(stream.room_name, max_participants=0)
    await stream.room.join(ALICE)
    assert stream.room_name not in stream.on.rooms.rooms


async def test_the_door(stream: StagedStream) -> None:
    async def may(who: str) -> bool:
        async with stream.on.world.transaction("admission") as tx:
            return bool(await admitted(tx, [Entrance(stream.room_name, who)]))

    assert not await may(str(ALICE))
    await stream.begin()
    assert [await may(str(who)) for who in (ALICE, BOB)] == [True, False]
    await stop_stream(stream.on.world, session(ALICE), stream.id)
    assert not await may(str(ALICE))


async def test_a_track_of_somebody_else_begins_nothing(stream: StagedStream) -> None:
    await stream.begin()
    stranger = stream.on.rooms.join(stream.room_name, str(BOB), "camera")
    await stream.room.tell("track_published", slim(stranger) | published(stranger.tracks[0]))
    await stream.turn()
    assert stream.on.recorder.egresses == {}
