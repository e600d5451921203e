"""Viewers in a room: seen by nobody, counted for nothing there, and out when they come back on a token that outlived their session."""

import pytest

from domain.reconciler import reconcile
from domain.streams.viewers.joining import join_stream
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.out_of_room import take_out
from tests.calls.call_states import group
from tests.streams.audience.live_streams import ANYBODY, joins
from tests.streams.life.staged_stream import plan_stream
from tests.support.domain_setup import BOB, Setup, session
from tests.support.telling_rooms import TellingRoom

pytestmark = pytest.mark.anyio
BROADCAST = """INSERT INTO nchat_streams (channel_id, host_id, title, visibility, status, started_at, call_id, room_name)
    SELECT (SELECT id FROM nchat_channels LIMIT 1), initiator_id, 'a broadcast', 'public', 'live', now(), id, room_name
    FROM nchat_calls RETURNING id"""


@pytest.mark.parametrize("told", [True, False], ids=["LiveKit tells", "its webhook is lost"])
async def test_who_comes_back_on_an_old_token_is_put_out_of_a_streams_room(on: Setup, told: bool) -> None:
    stream = await plan_stream(on)
    await stream.go_live()
    await on.database.execute("UPDATE nchat_streams SET visibility = 'public'")
    stays, goes = [await join_stream(on.world, ANYBODY, stream.id, webrtc=True) for _ in range(2)]
    for one in (stays, goes):
        await stream.room.join(f"viewer:{one.viewer_id}")
    await leave_stream(on.world, ANYBODY, goes.session_id)
    await take_out(on.world)
    stream.room.silent = not told
    await stream.room.join(f"viewer:{goes.viewer_id}")
    for stranger in ("viewer:", "viewer:nobody"):
        await stream.room.join(stranger)
    await stream.compare()
    inside = {one.identity for one in await on.rooms.list_participants(stream.room.name)}
    assert {one for one in inside if one.startswith("viewer:")} == {f"viewer:{stays.viewer_id}"}
    assert await stream.is_now() == "live"


async def test_in_the_room_of_a_call_that_is_shown_too_where_no_webhook_tells(on: Setup) -> None:
    """LiveKit counts no viewers: no number of the room says that one is there."""
    room = TellingRoom(on, (await on.call(await group(on)))["room_name"], silent=True)
    stream_id = await on.database.fetchval(BROADCAST)
    stays, goes = [await joins(on, ANYBODY, stream_id, webrtc=True) for _ in range(2)]
    await leave_stream(on.world, ANYBODY, goes.session_id)
    await take_out(on.world)
    for one in (stays, goes):
        await room.join(f"viewer:{one.viewer_id}")
    await reconcile(on.world)
    inside = {one.identity for one in await on.rooms.list_participants(room.name)}
    assert {one for one in inside if one.startswith("viewer:")} == {f"viewer:{stays.viewer_id}"}


async def test_viewers_of_a_broadcast_are_none_of_its_calls_people(on: Setup) -> None:
    call_id = await group(on)
    before = await on.database.fetch("SELECT * FROM nchat_call_participants ORDER BY id")
    kinds = await on.kinds(call_id)
    stream_id = await on.database.fetchval(BROADCAST)
    room = TellingRoom(on, (await on.call(call_id))["room_name"])
    stays, goes = await joins(on, session(BOB), stream_id, webrtc=True), await joins(on, ANYBODY, stream_id, webrtc=True)
    for one in (stays, goes):
        await room.join(f"viewer:{one.viewer_id}")
    await leave_stream(on.world, ANYBODY, goes.session_id)
    await room.join(f"viewer:{goes.viewer_id}")
    inside = {one.identity for one in await on.rooms.list_participants(room.name)}
    assert {one for one in inside if one.startswith("viewer:")} == {f"viewer:{stays.viewer_id}"}
    assert await on.database.fetch("SELECT * FROM nchat_call_participants ORDER BY id") == before
    assert await on.kinds(call_id) == kinds
