"""Who loses the right while watching by WebRTC is out of the room, without asking anything: a token can't be revoked."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from domain.errors import NotFound
from domain.streams.access import STREAMS
from domain.streams.viewers.heartbeats import heartbeat_stream
from domain.streams.viewers.invitations import uninvite_from_stream
from domain.streams.viewers.joining import Joined
from domain.streams.viewers.leaving import leave_stream
from domain.streams.viewers.out_of_room import note_closed_rooms, take_out
from domain.streams.viewers.unseeing import ending, rounds, sights
from domain.streams.viewers.unseeing.rounds import end_unseeing_in_rooms
from domain.world import World
from permissions.session import Session
from tests.streams.audience.live_streams import ANYBODY, banned, invited, joins, live, viewer
from tests.support.domain_setup import ALICE, BOB, CAROL, MALLORY, MOD, Setup, session

pytestmark = pytest.mark.anyio
LATE = "INSERT INTO nchat_stream_viewers (stream_id, session_id, role, webrtc) VALUES ($1, 'late', 'anonymous', true) RETURNING id"


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


async def look(on: Setup, seconds: float = 0.5) -> None:
    """What the job does so much later."""
    on.clock.advance(seconds)
    await end_unseeing_in_rooms(on.world)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The streams whose viewers the rule is asked of, in order."""
    made, ask = list[UUID](), ending.end_unseeing_in_room

    async def counted(world: World, stream_id: UUID) -> Sequence[str]:
        made.append(stream_id)
        return await ask(world, stream_id)

    monkeypatch.setattr(rounds, "end_unseeing_in_room", counted)
    return made


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
    await look(on)
    await take_out(on.world)
    assert len(await inside(on)) == len(people), "nobody has lost anything yet"
    await on.database.execute(change)
    await look(on)
    assert {name for name, one in joined.items() if not await watches(on, one)} == out
    await take_out(on.world)
    assert await inside(on) == {str(one.viewer_id) for name, one in joined.items() if name not in out}


@pytest.mark.parametrize(
    ("visibility", "change", "out"),
    [
        ("channel_members", f"DELETE FROM nchat_channel_members WHERE user_id = '{BOB}'", {"bob"}),
        ("channel_members", f"UPDATE nchat_channel_members SET user_id = '{MALLORY}' WHERE user_id = '{BOB}'", {"bob"}),
        ("channel_members", "UPDATE nchat_streams SET visibility = 'invite_only'", {"bob"}),
        ("invite_only", f"DELETE FROM nchat_stream_invites WHERE user_id = '{CAROL}'", {"carol"}),
        ("invite_only", "UPDATE nchat_stream_bans SET lifted_at = NULL", {"carol"}),
        ("invite_only", "UPDATE nchat_streams SET visibility = 'channel_members'", set()),
    ],
)
async def test_whoever_changes_it_by_hand(on: Setup, visibility: str, change: str, out: set[str]) -> None:
    """Nobody is told of what others write; it is seen at the next look all the same."""
    stream_id = await live(on, visibility)
    await invited(on, stream_id, CAROL)
    await banned(on, stream_id, CAROL)
    await on.database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
    people = {"bob": BOB, "carol": CAROL} if visibility == "channel_members" else {"carol": CAROL}
    joined = {name: await in_room(on, session(who), stream_id) for name, who in people.items()}
    await look(on)
    await look(on, 2)
    assert all([await watches(on, one) for one in joined.values()])
    await on.database.execute(change)
    await look(on)
    assert {name for name, one in joined.items() if not await watches(on, one)} == out


async def test_the_rule_is_asked_where_something_has_changed(on: Setup, asked: list[UUID]) -> None:
    quiet, narrowed = await live(on), await live(on, host=BOB)
    for stream_id in (quiet, narrowed):
        await joins(on, session(CAROL), stream_id, webrtc=True)
    for seconds in (0.5, 2, 0.5, 10):
        await look(on, seconds)
    # At first, once more for whoever came at that moment, and then not any more.
    assert sorted(asked) == sorted([quiet, narrowed] * 2)
    asked.clear()
    await on.database.execute("UPDATE nchat_streams SET title = 'another', viewer_count = 7")
    await look(on)
    assert asked == []
    await banned(on, narrowed, MALLORY)
    await look(on)
    assert asked == [narrowed]
    asked.clear()
    await look(on, 30)
    assert sorted(asked) == sorted([quiet, narrowed]), "all of it once in a while"


async def test_two_processes_share_the_looks(on: Setup, asked: list[UUID]) -> None:
    streams = [await live(on) for _ in range(3)]
    for stream_id in streams:
        await joins(on, session(CAROL), stream_id, webrtc=True)
    on.clock.advance(0.5)
    await asyncio.gather(*(end_unseeing_in_rooms(on.world) for _ in range(4)))
    assert sorted(asked) == sorted(streams)


async def test_who_is_let_in_beside_the_change_is_asked_for_too(on: Setup) -> None:
    """The question of joining was answered before it, and the session is written after the look."""
    stream_id = await live(on)
    await in_room(on, ANYBODY, stream_id)
    await look(on)
    await on.database.execute("UPDATE nchat_streams SET visibility = 'channel_members'")
    await look(on)
    late = await on.database.fetchval(LATE, stream_id)
    await look(on)
    await look(on, 1.1)
    assert (await viewer(on, late))["left_at"] is not None


async def test_more_than_a_page(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "PAGE", 2)
    ending._in_room.cache_clear()
    stream_id = await live(on)
    for who in (ANYBODY, ANYBODY, ANYBODY, session(BOB), session(CAROL), session(MALLORY)):
        await in_room(on, who, stream_id)
    await on.database.execute("UPDATE nchat_streams SET visibility = 'channel_members'")
    await look(on)
    ending._in_room.cache_clear()
    assert await on.database.fetchval("SELECT count(*) FROM nchat_stream_viewers WHERE left_at IS NULL") == 2


async def test_a_rule_of_the_deployment_s_own_is_asked_all_the_time(on: Setup, asked: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what it asks for nobody sees the changes: so often that two seconds are kept."""
    assert all(sights.tells_all(on.world.readable, [role]) for role in ("anonymous", "user", "moderator"))
    monkeypatch.setattr(sights, "TOLD", sights.TOLD - {(STREAMS, "visibility")})
    stream_id = await live(on)
    await in_room(on, ANYBODY, stream_id)
    await look(on)
    await look(on, 2)
    asked.clear()
    for _ in range(6):
        await look(on)
    assert asked == [stream_id] * 3


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
    await look(on)
    assert await watches(on, joined), "the next heartbeat tells"
    await leave_stream(on.world, session(BOB), joined.session_id)
    await take_out(on.world)
    assert on.rooms.asked == {}
