"""The gateway on the simulator and on a real livekit-server: what is there, and what is already so."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from livekit import api

from app.livekit.join_tokens import LiveKitJoinTokens
from app.livekit.room_gateway import LiveKitRooms
from domain.ports import Grant
from tests.livekit.targets import KEY, SECRET, Person, Refused, Target, fresh_room, token
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
TALK = Grant(sources=("microphone", "camera"))
LISTEN = Grant(sources=())
WATCH = Grant(sources=(), data=False, audience=True)


class Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)


def join_token(room: str, identity: str, grant: Grant, *, max_participants: int = 5) -> str:
    signer = LiveKitJoinTokens(KEY, SECRET, ttl=60, clock=Wall())
    return signer.sign(room=room, identity=identity, name=identity, grant=grant, max_participants=max_participants).token


async def enter(target: Target, room: str, identity: str, grant: Grant = TALK) -> Person:
    person = await target.join(join_token(room, identity, grant))
    await target.receiver.saw(room, "participant_joined", identity)
    return person


async def test_create_is_get_or_create(rooms: LiveKitRooms) -> None:
    name = fresh_room()
    first = await rooms.create_room(name, max_participants=2)
    again = await rooms.create_room(name, max_participants=50)
    assert first == again
    assert first.name == name and first.sid.startswith("RM_")


async def test_a_room_gets_its_timeouts_and_ten_spare_places(rooms: LiveKitRooms, target: Target) -> None:
    name = fresh_room()
    await rooms.create_room(name, max_participants=2)
    async with api.LiveKitAPI(target.url, KEY, SECRET, failover=False) as client:
        (room,) = (await client.room.list_rooms(api.ListRoomsRequest(names=[name]))).rooms
    assert (room.empty_timeout, room.departure_timeout, room.max_participants) == (60, 30, 12)


async def test_list_rooms_shows_live_ones_among_the_names(rooms: LiveKitRooms) -> None:
    here, gone = fresh_room(), fresh_room()
    room = await rooms.create_room(here, max_participants=2)
    assert await rooms.list_rooms([here, gone]) == [room]
    assert await rooms.list_rooms([]) == []


async def test_what_is_absent_is_a_quiet_answer(rooms: LiveKitRooms) -> None:
    absent = fresh_room()
    await rooms.delete_room(absent)
    assert await rooms.list_participants(absent) == []
    assert await rooms.remove_participant(absent, "nobody") is False
    assert await rooms.mute_track(absent, "nobody", "TR_nothing") is False
    assert await rooms.set_grant(absent, "nobody", TALK) is False
    assert await rooms.list_rooms([absent]) == []


async def test_a_person_with_a_track_is_listed_muted_and_removed(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    alice = await enter(target, room, "alice")
    mic = await alice.publish("microphone", "mic")
    await target.receiver.saw(room, "track_published", "alice")
    (listed,) = await rooms.list_participants(room)
    assert (listed.identity, listed.state, listed.sid[:3]) == ("alice", "active", "PA_")
    assert [(track.sid, track.source, track.muted) for track in listed.tracks] == [(mic, "microphone", False)]

    assert await rooms.mute_track(room, "alice", mic) is True
    assert await rooms.mute_track(room, "alice", "TR_unknown") is False
    (listed,) = await rooms.list_participants(room)
    assert [track.muted for track in listed.tracks] == [True]

    assert await rooms.remove_participant(room, "alice") is True
    assert await alice.disconnected() == 4
    await target.receiver.saw(room, "participant_left", "alice")
    assert await rooms.list_participants(room) == []


async def test_who_joined_in_a_person_s_name_is_removed_with_the_person(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    for identity in ("alice", "alice#camera", "alice#screen", "alice2"):
        await enter(target, room, identity)
    assert await rooms.remove_participant(room, "alice") is True
    assert [one.identity for one in await rooms.list_participants(room)] == ["alice2"]
    await enter(target, room, "alice#camera")
    assert await rooms.remove_participant(room, "alice") is True
    assert [one.identity for one in await rooms.list_participants(room)] == ["alice2"]


async def test_a_removed_person_is_back_with_the_same_token(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    signed = join_token(room, "alice", TALK)
    await target.join(signed)
    await target.receiver.saw(room, "participant_joined", "alice")
    assert await rooms.remove_participant(room, "alice") is True
    await target.join(signed)
    await target.receiver.saw(room, "participant_joined", "alice", times=2)


async def test_a_narrower_grant_takes_published_tracks_back(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    alice = await enter(target, room, "alice", Grant(sources=("microphone", "screen_share")))
    await alice.publish("microphone", "mic")
    await alice.publish("screen_share", "screen")
    await target.receiver.saw(room, "track_published", "alice", times=2)
    assert await rooms.set_grant(room, "alice", Grant(sources=("microphone",))) is True
    await target.receiver.saw(room, "track_unpublished", "alice")

    async def only_the_microphone() -> bool:
        (person,) = await rooms.list_participants(room)
        return [track.source for track in person.tracks] == ["microphone"]

    await eventually(only_the_microphone)


async def test_rights_are_exactly_the_granted_ones(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    await enter(target, room, "listener", LISTEN)
    await enter(target, room, "speaker", Grant(sources=("microphone",), subscribe=False, data=False))
    async with api.LiveKitAPI(target.url, KEY, SECRET, failover=False) as client:
        people = (await client.room.list_participants(api.ListParticipantsRequest(room=room))).participants
    rights = {person.identity: person.permission for person in people}
    listener, speaker = rights["listener"], rights["speaker"]
    assert (listener.can_publish, listener.can_subscribe, listener.can_publish_data) == (False, True, True)
    assert (speaker.can_publish, speaker.can_subscribe, speaker.can_publish_data) == (True, False, False)
    assert list(speaker.can_publish_sources) == [api.TrackSource.MICROPHONE]
    assert not (listener.can_update_metadata or speaker.can_update_metadata or listener.hidden)


async def test_agents_are_not_people(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    await target.join(token(room, "robot", kind="agent"))
    await enter(target, room, "alice")
    assert [person.identity for person in await rooms.list_participants(room)] == ["alice"]


async def test_who_watches_takes_nobody_s_place(rooms: LiveKitRooms, target: Target) -> None:
    """A room of three: with as many people as it takes and more viewers than that it is full of people alone."""
    room, viewers = fresh_room(), [f"viewer:{uuid4()}" for _ in range(5)]
    async with api.LiveKitAPI(target.url, KEY, SECRET, failover=False) as client:
        await client.room.create_room(api.CreateRoomRequest(name=room, max_participants=3))
        for one in (viewers[0], "alice", *viewers[1:], "bob", "carol"):
            await enter(target, room, one, WATCH if one in viewers else TALK)
        with pytest.raises(Refused) as refused:
            await target.join(join_token(room, "dave", TALK))
        assert refused.value.status == 500, "the room takes no more people than before"
        assert {one.identity for one in await rooms.list_participants(room)} == {"alice", "bob", "carol", *viewers}
        await eventually(lambda: counts_people(rooms, room, 3))
        assert await rooms.remove_participant(room, viewers[0])
        await target.receiver.saw(room, "participant_left", viewers[0])


async def counts_people(rooms: LiveKitRooms, name: str, people: int) -> bool:
    return [one.participants for one in await rooms.all_rooms() if one.name == name] == [people]


async def test_delete_room_puts_everybody_out(rooms: LiveKitRooms, target: Target) -> None:
    room = fresh_room()
    await rooms.create_room(room, max_participants=5)
    alice = await enter(target, room, "alice")
    await rooms.delete_room(room)
    assert await alice.disconnected() == 5
    await target.receiver.saw(room, "room_finished")
    assert await rooms.list_rooms([room]) == []
    with pytest.raises(Refused) as refused:
        await target.join(join_token(room, "alice", TALK))
    assert refused.value.status == 404
