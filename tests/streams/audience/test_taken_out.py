"""Many are to be out of their rooms at once: by few calls, each of them once, and one room that does not answer holds up no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from domain.ports import MediaSilent, RoomParticipant
from domain.reconciler import reconcile
from domain.streams.chat.bans import ban_from_stream
from domain.streams.viewers import leavers, out_of_room
from domain.streams.viewers.leavers import SHARE
from domain.streams.viewers.out_of_room import take_out
from domain.streams.viewers.rows import LEAVING_TOPIC
from domain.streams.viewers.unseeing.rounds import end_unseeing_in_rooms
from domain.world import World
from tests.streams.audience.live_streams import live, processes
from tests.streams.audience.test_unseeing import in_room
from tests.streams.life.staged_stream import plan_stream
from tests.support.domain_setup import ALICE, BOB, Setup, session
from tests.support.fake_rooms import FakeRooms
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
MANY = 1000
CROWD = """INSERT INTO nchat_stream_viewers (stream_id, session_id, role, webrtc)
    SELECT $1, 'the secret ' || number, 'anonymous', true FROM generate_series(1, $2) AS number RETURNING id"""
NARROW = "UPDATE nchat_streams SET visibility = 'invite_only' WHERE id = $1"
LEFT = "SELECT count(*) FROM nchat_stream_viewers WHERE out_of_room_at IS NULL AND left_at IS NOT NULL"


async def room_of(on: Setup, stream_id: UUID) -> str:
    name: str = await on.database.fetchval("SELECT room_name FROM nchat_streams WHERE id = $1", stream_id)
    return name


async def crowd(on: Setup, stream_id: UUID, many: int) -> list[str]:
    """So many without a name in the stream's room; their identities."""
    room = await room_of(on, stream_id)
    identities = [f"viewer:{row['id']}" for row in await on.database.fetch(CROWD, stream_id, many)]
    for identity in identities:
        on.rooms.join(room, identity)
    return identities


async def lost(on: Setup, *stream_ids: UUID) -> None:
    """Who has no name may see none of them any more."""
    for stream_id in stream_ids:
        await on.database.execute(NARROW, stream_id)
    on.clock.advance(0.5)
    await end_unseeing_in_rooms(on.world)


async def left(on: Setup) -> int:
    """How many are still to be out."""
    many: int = await on.database.fetchval(LEFT)
    return many


async def test_a_thousand_are_one_look_a_share_and_one_request_each(on: Setup) -> None:
    stream_id = await live(on)
    first = (await crowd(on, stream_id, MANY))[0]
    room = await room_of(on, stream_id)
    for stays in (str(ALICE), f"{first}0"):
        on.rooms.join(room, stays)
    # The same token let in twice.
    on.rooms.join(room, f"{first}#beside")
    await lost(on, stream_id)
    await take_out(on.world)
    assert set(on.rooms.people[room]) == {str(ALICE), f"{first}0"}
    assert on.rooms.asked == {"list_participants": MANY // SHARE, "remove_exactly": MANY + 1}
    assert await left(on) == 0


async def test_who_went_away_by_themselves_cost_one_look(on: Setup) -> None:
    stream_id = await live(on)
    await crowd(on, stream_id, SHARE)
    on.rooms.people.clear()
    await lost(on, stream_id)
    await take_out(on.world)
    assert on.rooms.asked == {"list_participants": 1}
    assert await left(on) == 0


async def test_no_two_processes_take_the_same(on: Setup) -> None:
    streams = [await live(on) for _ in range(3)]
    for stream_id in streams:
        await crowd(on, stream_id, SHARE)
    await lost(on, *streams)
    async with processes(on, 3) as worlds:
        await asyncio.gather(*(take_out(world) for world in worlds))
    assert on.rooms.asked["remove_exactly"] == 3 * SHARE
    assert await left(on) == 0


@dataclass(slots=True)
class SlowRooms(FakeRooms):
    """Of the room `slow` nobody hears anything before `heard`, and then that it was too long; `order` is who was removed."""

    slow: str = ""
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    order: list[str] = field(default_factory=list)
    # What is to happen when the first is removed.
    meanwhile: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def list_participants(self, room: str, *, ingresses: bool = False) -> list[RoomParticipant]:
        if room == self.slow:
            self.asked[room] += 1
            await self.heard.wait()
            raise MediaSilent("list_participants: no answer within 5 s")
        return await FakeRooms.list_participants(self, room, ingresses=ingresses)

    async def remove_exactly(self, room: str, identity: str) -> bool:
        self.meanwhile.set()
        await self.goes_on.wait()
        self.order.append(identity)
        return await FakeRooms.remove_exactly(self, room, identity)


def with_rooms(on: Setup, rooms: SlowRooms) -> World:
    rooms.people = on.rooms.people
    return replace(on.world, rooms=rooms)


async def test_a_room_that_does_not_answer_holds_up_no_other(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out_of_room, "LOOK_EVERY", 0.01)
    bad, good = await live(on), await live(on)
    bads, goods = await crowd(on, bad, 3), await crowd(on, good, 3)
    await lost(on, bad)
    rooms = SlowRooms(slow=await room_of(on, bad))
    rooms.goes_on.set()
    taking = asyncio.create_task(take_out(with_rooms(on, rooms)))
    await eventually(lambda: _so(rooms.asked[rooms.slow] == 1))
    # They lose it while the other room is waited for.
    await lost(on, good)
    await eventually(lambda: _so(set(rooms.order) == set(goods)))
    assert not taking.done()
    rooms.heard.set()
    await taking
    assert (rooms.asked[rooms.slow], await left(on)) == (1, len(bads))


async def _so(condition: bool) -> bool:
    return condition


async def test_what_fails_waits_longer_each_time_and_then_goes(on: Setup) -> None:
    stream_id = await live(on)
    await crowd(on, stream_id, SHARE + 5)
    await lost(on, stream_id)
    on.rooms.broken.add("list_participants")
    asked = []
    for _ in range(12):
        await take_out(on.world)
        asked.append(on.rooms.asked["list_participants"])
        on.clock.advance(1)
    # At 0, 1, 3 and 7 s: all of the room at once, not each share by itself.
    assert asked == [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4]
    on.rooms.broken.clear()
    on.clock.advance(leavers.LONGEST_PAUSE.total_seconds())
    await take_out(on.world)
    assert await left(on) == 0


async def test_one_for_whom_nobody_answers_holds_up_nobody_of_the_room(on: Setup) -> None:
    stream_id = await live(on)
    ghost, *others = await crowd(on, stream_id, 20)
    await lost(on, stream_id)
    on.rooms.unanswered.add(ghost)
    for _ in range(2):
        await take_out(on.world)
    assert set(on.rooms.people[await room_of(on, stream_id)]) == {ghost}
    assert on.rooms.asked["remove_exactly"] == len(others) + 1
    on.rooms.unanswered.clear()
    on.clock.advance(1)
    await take_out(on.world)
    assert await left(on) == 0


async def test_who_is_banned_while_many_are_taken_out_waits_for_one_share(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leavers, "SHARE", 5)
    stream_id = await live(on)
    banned = await in_room(on, session(BOB), stream_id)
    await crowd(on, stream_id, 50)
    room = await room_of(on, stream_id)
    rooms = SlowRooms()
    # All of them leave, and BOB stays.
    await on.database.execute("UPDATE nchat_stream_viewers SET left_at = now() WHERE user_id IS NULL")
    taking = asyncio.create_task(take_out(with_rooms(on, rooms)))
    await rooms.meanwhile.wait()
    on.publisher.topics()
    on.clock.advance(60)
    await ban_from_stream(on.world, session(ALICE), stream_id, BOB)
    assert LEAVING_TOPIC in on.publisher.topics(), "whoever puts people out hears of it"
    rooms.goes_on.set()
    await taking
    assert f"viewer:{banned.viewer_id}" in rooms.order[5:10]
    assert rooms.people[room] == {}


async def test_a_process_that_dies_leaves_them_to_the_next(on: Setup) -> None:
    stream_id = await live(on)
    await crowd(on, stream_id, 3)
    await lost(on, stream_id)
    rooms = SlowRooms(slow=await room_of(on, stream_id))
    taking = asyncio.create_task(take_out(with_rooms(on, rooms)))
    await eventually(lambda: _so(rooms.asked[rooms.slow] == 1))
    taking.cancel()
    await asyncio.wait([taking])
    await take_out(on.world)
    assert await left(on) == 3, "somebody has them"
    on.clock.advance(leavers.TAKEN_FOR.total_seconds())
    await take_out(on.world)
    assert await left(on) == 0


async def test_what_fails_otherwise_is_told_when_the_others_are_out(on: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = await live(on), await live(on)
    for stream_id in (bad, good):
        await crowd(on, stream_id, 2)
    await lost(on, bad, good)
    rooms, name = on.rooms, await room_of(on, bad)
    listing = rooms.list_participants

    async def wrong(room: str) -> Sequence[RoomParticipant]:
        if room == name:
            raise LookupError
        return await listing(room)

    monkeypatch.setattr(FakeRooms, "list_participants", lambda _self, room: wrong(room))
    with pytest.raises(ExceptionGroup):
        await take_out(on.world)
    assert await left(on) == 2


async def test_the_reconciler_asks_once_for_each_stranger(on: Setup) -> None:
    stream = await plan_stream(on)
    await stream.go_live()
    for number in range(30):
        on.rooms.join(stream.room.name, f"viewer:stranger {number}")
    on.rooms.asked.clear()
    await reconcile(on.world)
    assert [one for one in on.rooms.people[stream.room.name] if one.startswith("viewer:")] == []
    assert (on.rooms.asked["list_participants"], on.rooms.asked["remove_exactly"]) == (1, 30)
