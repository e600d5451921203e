"""Viewers on a real livekit-server: they get what is sent, nobody hears of them, a fresh token is as the first, no room stays for them."""

from collections.abc import AsyncIterator

import jwt
import pytest
from livekit import api, rtc

from app.livekit.access_tokens import AccessTokens
from app.livekit.room_gateway import LiveKitRooms, connect
from app.livekit.room_settings import RoomTimeouts
from devstack.livekit_server import LiveKitServer
from tests.livekit.targets import KEY, SECRET, RealPerson, RealTarget, fresh_room, real_target
from tests.livekit.test_room_gateway import TALK, WATCH, enter, join_token
from tests.support.signalling import refresh_token
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio
VIEWER = "viewer:00000000-0000-4000-8000-000000000001"


@pytest.fixture
async def real(real_server: LiveKitServer, webhook_port: int) -> AsyncIterator[RealTarget]:
    async with real_target(real_server, webhook_port) as ready:
        yield ready


@pytest.fixture
async def real_rooms(real: RealTarget) -> AsyncIterator[LiveKitRooms]:
    """Rooms that stay for a second without people."""
    async with connect(real.url, KEY, SECRET, timeouts=RoomTimeouts(empty=60, departure=1)) as gateway:
        yield gateway


async def client(real: RealTarget, room: str, identity: str, *, watches: bool = False) -> rtc.Room:
    person = await enter(real, room, identity, WATCH if watches else TALK)
    assert isinstance(person, RealPerson)
    return person.room


async def receives(room: rtc.Room, sender: str) -> None:
    """A track of that participant arrives."""

    async def has_arrived() -> bool:
        there = room.remote_participants.get(sender)
        return there is not None and any(one.track is not None for one in there.track_publications.values())

    await eventually(has_arrived)


async def test_a_viewer_gets_what_is_sent_before_and_after_and_is_seen_by_nobody(real: RealTarget, real_rooms: LiveKitRooms) -> None:
    room = fresh_room()
    await real_rooms.create_room(room, max_participants=2)
    alice = await enter(real, room, "alice")
    assert isinstance(alice, RealPerson)
    await alice.publish("microphone", "voice")
    watching = await client(real, room, VIEWER, watches=True)
    await receives(watching, "alice")
    bob = await enter(real, room, "bob")
    await bob.publish("microphone", "voice")
    await receives(watching, "bob")
    assert watching.local_participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    assert set(alice.room.remote_participants) == {"bob"}


async def test_a_fresh_token_of_livekit_s_own_keeps_what_a_viewer_is(real: RealTarget, real_rooms: LiveKitRooms) -> None:
    room = fresh_room()
    await real_rooms.create_room(room, max_participants=2)
    fresh = await refresh_token(real.ws_url, join_token(room, VIEWER, WATCH))
    claims = jwt.decode(fresh, SECRET, algorithms=["HS256"], issuer=KEY)
    assert (claims["kind"], claims["video"]["hidden"], claims["video"]["canPublish"]) == ("agent", True, False)
    assert AccessTokens(KEY, SECRET).entrance(fresh).identity == VIEWER, "the door knows it again"


async def test_no_room_stays_for_viewers_alone(real: RealTarget, real_rooms: LiveKitRooms) -> None:
    room = fresh_room()
    await real_rooms.create_room(room, max_participants=2)
    alice = await enter(real, room, "alice")
    viewer = await real.join(join_token(room, VIEWER, WATCH))
    await alice.leave()
    assert await viewer.disconnected() in (api.DisconnectReason.ROOM_CLOSED, api.DisconnectReason.ROOM_DELETED)
    await real.receiver.saw(room, "room_finished")
    assert await real_rooms.list_rooms([room]) == []
