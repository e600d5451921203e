"""A call that is shown to others: in its own room, told to everybody in it, and over with it."""

from dataclasses import replace

import pytest

from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.errors import CallNotStarted, E2eeCall, NotAllowed, NotFound, StreamNotLive
from domain.reconciler import reconcile
from domain.streams.actions.start import start_broadcast
from domain.streams.actions.stop import stop_stream
from domain.streams.actions.token import refresh_stream_token
from domain.streams.planning import StreamPlan
from domain.streams.viewers.joining import join_stream
from tests.recordings.recorded_call import RecordedCall
from tests.streams.life.staged_stream import StagedStream, broadcast
from tests.support.domain_setup import ALICE, BOB, GENERAL, MALLORY, Setup, session

pytestmark = pytest.mark.anyio


async def told(call: RecordedCall) -> list[str]:
    return [kind for kind in await call.on.kinds(call.id) if kind.startswith("stream_")]


async def streaming(call: RecordedCall) -> bool:
    found: bool = await call.on.database.fetchval("SELECT nchat_calls_is_streaming(c) FROM nchat_calls AS c WHERE id = $1", call.id)
    return found


async def test_a_call_is_shown_and_left_alone(call: RecordedCall) -> None:
    shown = await broadcast(call)
    row = await shown.row()
    assert (row["status"], row["title"], row["channel_id"], row["call_id"]) == ("live", "general", GENERAL, call.id)
    assert (await told(call), await streaming(call)) == (["stream_started"], True)
    await stop_stream(call.on.world, session(ALICE), shown.id)
    await shown.turn()
    await shown.complete("EG_1")
    assert (await shown.is_now(), (await shown.row())["room_closed_at"]) == ("ended", call.on.clock.now())
    assert (await told(call), await streaming(call)) == (["stream_started", "stream_ended"], False)
    events = await call.on.events(call.id)
    assert events[-1].payload == {"streamId": str(shown.id), "reason": "stopped"}
    assert (await call.on.call(call.id))["status"] == "connected"
    assert call.room_name in call.on.rooms.rooms and call.on.rooms.asked["delete_room"] == 0


async def test_a_call_is_shown_twice(call: RecordedCall) -> None:
    first = await broadcast(call)
    again = await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan())
    assert again.stream_id == first.id
    await stop_stream(call.on.world, session(ALICE), first.id)
    with pytest.raises(StreamNotLive):
        await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan())
    await first.turn()
    await first.complete("EG_1")
    second = await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan(title="Once more"))
    assert second.stream_id != first.id and second.room_name == call.room_name


async def test_a_call_that_ends_ends_its_stream(call: RecordedCall) -> None:
    shown = await broadcast(call)
    await end_call(call.on.world, session(ALICE), call.id)
    await shown.turn()
    assert (await shown.is_now(), await shown.failure()) == ("ending", "call_ended")
    await shown.complete("EG_1")
    assert await shown.is_now() == "ended"
    assert (await told(call))[-1] == "stream_ended"


async def test_a_call_that_is_recorded_may_be_shown_as_well(call: RecordedCall) -> None:
    await call.run()
    shown = StagedStream(
        call.on, (await start_broadcast(call.on.world, session(ALICE), call.id, StreamPlan())).stream_id, call.room, call.room_name
    )
    await shown.turn()
    call.upload("EG_1", 5)
    await shown.active()
    assert (await shown.is_now(), await call.status()) == ("live", "recording")


async def test_viewers_are_none_of_its_people(call: RecordedCall) -> None:
    shown = await broadcast(call)
    watching = f"viewer:{(await join_stream(call.on.world, session(BOB), shown.id, webrtc=True)).viewer_id}"
    await call.room.join(watching)
    await reconcile(call.on.world)
    people = await call.on.database.fetchval("SELECT count(*) FROM nchat_call_participants WHERE call_id = $1", call.id)
    assert (people, watching in call.on.rooms.people[call.room_name]) == (3, True)
    assert (await call.on.call(call.id))["status"] == "connected" and await shown.is_now() == "live"


async def test_who_may_not_show_it(call: RecordedCall) -> None:
    for who, refusal in ((BOB, NotAllowed), (MALLORY, NotFound)):
        with pytest.raises(refusal):
            await start_broadcast(call.on.world, session(who), call.id, StreamPlan())
    assert await call.on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0
    assert await told(call) == []


async def test_calls_that_can_not_be_shown(on: Setup) -> None:
    for request, refusal in (
        (CallRequest("video", channel_id=GENERAL, e2ee=True), E2eeCall),
        (CallRequest("video", channel_id=GENERAL), CallNotStarted),
    ):
        started = await initiate_call(on.world, session(ALICE), request)
        with pytest.raises(refusal):
            await start_broadcast(on.world, session(ALICE), started.call_id, StreamPlan())
    assert await on.database.fetchval("SELECT count(*) FROM nchat_streams") == 0


async def test_its_host_has_a_token_of_the_call(call: RecordedCall) -> None:
    shown = await broadcast(call)
    with pytest.raises(NotAllowed):
        await refresh_stream_token(call.on.world, session(ALICE), shown.id)


async def test_a_plan_of_ones_own(call: RecordedCall) -> None:
    shown = await broadcast(call, replace(StreamPlan(), title="To all", visibility="public"))
    row = await shown.row()
    assert (row["title"], row["visibility"], row["room_name"]) == ("To all", "public", call.room_name)
