"""Who loses the right while watching by WebRTC is out of the room, without asking anything: a token can't be revoked."""

from uuid import UUID

import pytest

from domain.errors import NotFound
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.invitations import uninvite_from_stream
from domain.streams.viewers.joining import Joined
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.out_of_room import note_closed_rooms, take_out
from domain.streams.viewers.unseeing import end_unseeing_in_rooms
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, banned, invited, joins, live, viewer
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio


async def in_room(on: Setup, who: Session, stream_id: UUID) -> Joined:
    """Joined, and connected to LiveKit."""
    joined = await joins(on, who, stream_id, webrtc=True)
    on.rooms.join(await room(on), f"viewer:{joined.viewer_id}")
    return joined


async def room(on: Setup) -> str:
    name: str = await on.database.fetchval("SELECT room_name FROM nchat_streams")
    return name


async def inside(on: Setup) -> set[str]:
    return {one.identity.removeprefix("viewer:") for one in await on.rooms.list_participants(await room(on))}


async def watches(on: Setup, joined: Joined) -> bool:
    return (await viewer(on, joined.viewer_id))["left_at"] is None


@pytest.mark.parametrize(
    ("change", "out"),
    [
        ("UPDATE nchat_streams SET visibility = 'channel_members'", {"anybody", "mallory"}),
        ("UPDATE nchat_streams SET visibility = 'invite_only'", {"anybody", "mallory", "bob"}),
        (f"INSERT INTO nchat_stream_bans (stream_id, user_id, banned_by) SELECT id, '{BOB}', host_id FROM nchat_streams", {"bob"}),
        ("UPDATE nchat_streams SET status = 'cancelled'", {"anybody"}),
    ],
)
async def test_whoever_may_not_see_it_any_more(on: Setup, change: str, out: set[str]) -> None:
    stream_id = await live(on)
    await invited(on, stream_id, CAROL)
    people = {
        "anybody": ANYBODY,
        "mallory": session(MALLORY),
        "bob": session(BOB),
        "carol": session(CAROL),
        "mod": session(MOD, "moderator"),
    }
    joined = {name: await in_room(on, who, stream_id) for name, who in people.items()}
    await end_unseeing_in_rooms(on.world)
    await take_out(on.world)
    assert len(await inside(on)) == len(people), "nobody has lost anything yet"
    await on.database.execute(change)
    await end_unseeing_in_rooms(on.world)
    assert {name for name, one in joined.items() if not await watches(on, one)} == out
    await take_out(on.world)
    assert await inside(on) == {str(one.viewer_id) for name, one in joined.items() if name not in out}


async def test_who_is_invited_no_more_is_out_at_once(on: Setup) -> None:
    stream_id = await live(on, "invite_only")
    for who in (BOB, CAROL):
        await invited(on, stream_id, who)
    bobs, carols = [await in_room(on, session(who), stream_id) for who in (BOB, CAROL)]
    await uninvite_from_stream(on.world, session(ALICE), stream_id, [BOB])
    assert (await watches(on, bobs), await watches(on, carols)) == (False, True)
    with pytest.raises(NotFound):
        await heartbeat_stream(on.world, session(BOB), bobs.session_id)
    await take_out(on.world)
    assert await inside(on) == {str(carols.viewer_id)}


async def test_what_livekit_does_not_confirm_is_asked_again(on: Setup) -> None:
    stream_id = await live(on)
    joined = await in_room(on, session(BOB), stream_id)
    await leave_stream(on.world, session(BOB), joined.session_id)
    on.rooms.broken.add("remove_exactly")
    await take_out(on.world)
    assert (await viewer(on, joined.viewer_id))["out_of_room_at"] is None
    on.rooms.broken.clear()
    on.clock.advance(1)
    await take_out(on.world)
    assert (await viewer(on, joined.viewer_id))["out_of_room_at"] == on.clock.now()
    assert await inside(on) == set()
    on.rooms.asked.clear()
    on.clock.advance(60)
    await take_out(on.world)
    assert on.rooms.asked == {}


async def test_a_room_that_is_closed_holds_nobody(on: Setup) -> None:
    stream_id = await live(on)
    joined = await in_room(on, ANYBODY, stream_id)
    await leave_stream(on.world, ANYBODY, joined.session_id)
    await on.database.execute("UPDATE nchat_streams SET status = 'ended', ended_at = now()")
    await take_out(on.world)
    assert (await viewer(on, joined.viewer_id))["out_of_room_at"] is None
    await on.database.execute("UPDATE nchat_streams SET room_closed_at = now()")
    await note_closed_rooms(on.world)
    assert on.rooms.asked == {}
    assert (await viewer(on, joined.viewer_id))["out_of_room_at"] is not None


async def test_who_watches_otherwise_is_not_looked_for_in_a_room(on: Setup) -> None:
    stream_id = await live(on)
    joined = await joins(on, session(BOB), stream_id)
    await banned(on, stream_id, BOB)
    await end_unseeing_in_rooms(on.world)
    assert await watches(on, joined), "the next heartbeat tells"
    await leave_stream(on.world, session(BOB), joined.session_id)
    await take_out(on.world)
    assert on.rooms.asked == {}
