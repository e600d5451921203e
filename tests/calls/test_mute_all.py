"""A host mutes everybody, and asks one to speak."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.calls.actions.kick import kick_participant
from domain.calls.actions.mute import ask_to_unmute, mute_all
from domain.errors import InvalidInput, MediaUnavailable, NotAllowed, NotFound
from domain.ports import MediaSilent
from tests.calls.call_states import group, participant_id, ringing
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.dump import dump
from tests.support.fake_rooms import FakeRooms

pytestmark = pytest.mark.anyio


async def muted(on: Setup, call_id: UUID) -> dict[UUID, bool]:
    rows = await on.database.fetch("SELECT user_id, is_muted FROM nchat_call_participants WHERE call_id = $1", call_id)
    return {row["user_id"]: row["is_muted"] for row in rows}


async def in_the_room(on: Setup) -> tuple[UUID, str]:
    """Alice, Bob and Carol with microphone and camera."""
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    for user in (ALICE, BOB, CAROL):
        on.rooms.join(room, str(user), "microphone", "camera")
    return call_id, room


async def test_everybody_is_silent_but_the_one_who_asked(on: Setup) -> None:
    call_id, room = await in_the_room(on)
    done = await mute_all(on.world, session(ALICE), call_id)
    assert set(done.participant_ids) == {await participant_id(on, call_id, user) for user in (BOB, CAROL)}
    assert await muted(on, call_id) == {ALICE: False, BOB: True, CAROL: True}
    tracks = {identity: [track.muted for track in one.tracks] for identity, one in on.rooms.people[room].items()}
    assert tracks == {str(ALICE): [False, False], str(BOB): [True, False], str(CAROL): [True, False]}
    told = [event for event in await on.events(call_id) if event.kind == "call_mute_changed"]
    assert [(event.actor_id, event.payload["muted"]) for event in told] == [(str(ALICE), True)] * 2
    before = await dump(on.database)
    assert (await mute_all(on.world, session(ALICE), call_id)).participant_ids == ()
    assert await dump(on.database) == before


async def test_who_is_spared_keeps_the_microphone(on: Setup) -> None:
    call_id, room = await in_the_room(on)
    await mute_all(on.world, session(ALICE), call_id, [await participant_id(on, call_id, BOB)])
    assert await muted(on, call_id) == {ALICE: False, BOB: False, CAROL: True}
    assert not on.rooms.people[room][str(BOB)].tracks[0].muted


async def test_who_has_no_microphone_on_is_silent_already(on: Setup) -> None:
    call_id = await group(on)
    await mute_all(on.world, session(ALICE), call_id)
    assert await muted(on, call_id) == {ALICE: False, BOB: True, CAROL: True}


@pytest.mark.parametrize("method", ["list_participants", "mute_track"])
async def test_who_livekit_did_not_mute_is_not_said_to_be(on: Setup, method: str) -> None:
    call_id, _ = await in_the_room(on)
    on.rooms.broken.add(method)
    before = await dump(on.database)
    with pytest.raises(MediaUnavailable):
        await mute_all(on.world, session(ALICE), call_id)
    assert await dump(on.database) == before


async def test_who_could_be_muted_is_said_to_be(on: Setup) -> None:
    """LiveKit mutes one and falls silent: the row of each says what is."""
    call_id, room = await in_the_room(on)

    class HalfBroken(FakeRooms):
        async def mute_track(self, room: str, identity: str, track_sid: str) -> bool:
            if self.asked["mute_track"]:
                raise MediaSilent("no answer")
            return await super().mute_track(room, identity, track_sid)

    half = HalfBroken(on.rooms.rooms, on.rooms.people)
    with pytest.raises(MediaUnavailable):
        await mute_all(replace(on.world, rooms=half), session(ALICE), call_id)
    rows = await muted(on, call_id)
    assert rows == {user: half.people[room][str(user)].tracks[0].muted for user in (ALICE, BOB, CAROL)}
    assert sum(rows.values()) == 1


async def test_asking_to_speak_is_an_event_alone(on: Setup) -> None:
    call_id, room = await in_the_room(on)
    await mute_all(on.world, session(ALICE), call_id)
    bob = await participant_id(on, call_id, BOB)
    on.rooms.asked.clear()
    await ask_to_unmute(on.world, session(ALICE), call_id, bob)
    event = (await on.events(call_id))[-1]
    assert (event.kind, event.actor_id, event.payload) == ("unmute_asked", str(ALICE), {"participantId": str(bob)})
    assert (await muted(on, call_id))[BOB]
    assert on.rooms.people[room][str(BOB)].tracks[0].muted
    assert on.rooms.asked == {}


async def test_what_both_refuse(on: Setup) -> None:
    call_id, elsewhere = await group(on), await ringing(on, CAROL, by=DAVE)
    bob, carol = await participant_id(on, call_id, BOB), await participant_id(on, call_id, CAROL)
    stranger = await participant_id(on, elsewhere, CAROL)
    await kick_participant(on.world, session(ALICE), call_id, carol)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await mute_all(on.world, session(BOB), call_id)
    with pytest.raises(NotFound):
        await mute_all(on.world, session(ALICE), call_id, [stranger])
    with pytest.raises(NotAllowed):
        await ask_to_unmute(on.world, session(BOB), call_id, bob)
    with pytest.raises(NotFound):
        await ask_to_unmute(on.world, session(ALICE), call_id, stranger)
    with pytest.raises(InvalidInput):
        await ask_to_unmute(on.world, session(ALICE), call_id, carol)
    assert await dump(on.database) == before
