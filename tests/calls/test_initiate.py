"""initiateCall: what is written, what is asked of LiveKit, and every refusal."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID, uuid4

import pytest

from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.errors import ActionError, InvalidInput, MediaUnavailable, NotFound, RateLimited
from domain.ports import CallLimits, MediaError, Room
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, Setup, session, setup
from tests.support.dump import dump
from tests.support.fake_rooms import FakeRooms

pytestmark = pytest.mark.anyio


async def test_a_direct_call_rings_the_other(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    call = await on.call(started.call_id)
    assert (call["status"], call["initiator_id"], call["type"]) == ("ringing", ALICE, "video")
    assert call["room_sid"] == on.rooms.rooms[call["room_name"]].sid
    assert on.rooms.limits[call["room_name"]] == 100
    assert (await on.participant(call["id"], ALICE))["status"] == "connecting"
    assert (await on.participant(call["id"], ALICE))["role"] == "host"
    assert (await on.participant(call["id"], BOB))["status"] == "ringing"
    assert await on.kinds(call["id"]) == ["call_initiate", "call_incoming", "call_state_changed"]
    assert_valid_history(await on.events(call["id"]))
    assert await on.pushes() == [("ring", BOB)]
    assert {f"call:{call['id']}", "table:nchat_calls", "table:nchat_call_participants", f"user:{BOB}"} <= on.publisher.topics()


async def test_the_ticket_is_for_the_caller_and_for_this_room(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    assert started.ticket is not None
    assert started.ticket.token.startswith(f"{started.room_name}/{ALICE}/Alice/100")
    assert started.ticket.server_url == "ws://livekit.example"
    assert on.tokens.signed[str(ALICE)].sources == ("microphone",)
    assert started.ticket.ice_servers[1].username == f"1:{ALICE}"


async def test_a_push_tells_what_the_device_shows(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", [BOB]))
    payload = await on.database.fetchval("SELECT payload::text FROM nchat_push_outbox")
    assert payload == (
        f'{{"uuid": "{started.call_id}", "handle": "alice", "hasVideo": true, "callerImageUrl": null, "callerDisplayName": "Alice"}}'
    )


async def test_a_channel_call_without_targets_waits_and_rings_nobody(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("video", channel_id=GENERAL))
    assert (await on.call(started.call_id))["status"] == "connecting"
    assert await on.kinds(started.call_id) == ["call_initiate", "call_state_changed"]
    assert await on.pushes() == []


async def test_a_single_busy_target_ends_the_call_at_once(on: Setup) -> None:
    await initiate_call(on.world, session(BOB), CallRequest("audio", [CAROL]))
    on.rooms.asked.clear()
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    assert started.ticket is None
    call = await on.call(started.call_id)
    assert (call["status"], call["end_reason"]) == ("ended", "busy")
    assert on.rooms.asked == {}
    assert await on.kinds(call["id"]) == ["call_initiate", "call_state_changed", "call_end"]
    assert_valid_history(await on.events(call["id"]))
    assert await on.pushes() == [("ring", CAROL)]
    row = await on.participant(call["id"], BOB)
    assert (row["status"], row["leave_reason"]) == ("left", "busy")


async def test_a_busy_target_among_others_rings(on: Setup) -> None:
    await initiate_call(on.world, session(BOB), CallRequest("audio", channel_id=GENERAL))
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL]))
    assert {(await on.participant(started.call_id, user))["status"] for user in (BOB, CAROL)} == {"ringing"}


async def test_a_repeated_request_is_the_same_call_with_a_fresh_token(on: Setup) -> None:
    request = CallRequest("audio", [BOB], client_request_id=uuid4())
    first = await initiate_call(on.world, session(ALICE), request)
    before = await dump(on.database)
    again = await initiate_call(on.world, session(ALICE), request)
    assert again.call_id == first.call_id
    assert first.ticket is not None
    assert again.ticket is not None
    assert again.ticket.token != first.ticket.token
    assert await dump(on.database) == before


async def test_the_same_request_id_of_another_person_is_another_call(on: Setup) -> None:
    request_id = uuid4()
    first = await initiate_call(on.world, session(ALICE), CallRequest("audio", channel_id=GENERAL, client_request_id=request_id))
    other = await initiate_call(on.world, session(BOB), CallRequest("audio", channel_id=GENERAL, client_request_id=request_id))
    assert other.call_id != first.call_id


async def test_a_media_server_that_fails_ends_the_call(on: Setup) -> None:
    on.rooms.broken.add("create_room")
    request = CallRequest("audio", [BOB], client_request_id=uuid4())
    with pytest.raises(MediaUnavailable):
        await initiate_call(on.world, session(ALICE), request)
    on.rooms.broken.clear()
    again = await initiate_call(on.world, session(ALICE), request)
    call = await on.call(again.call_id)
    assert (call["status"], call["end_reason"], again.ticket) == ("ended", "failed", None)
    assert_valid_history(await on.events(call["id"]))
    assert await on.pushes() == []


REFUSED: dict[str, tuple[UUID, CallRequest, type[ActionError]]] = {
    "neither target nor channel": (ALICE, CallRequest("audio"), InvalidInput),
    "oneself": (ALICE, CallRequest("audio", [ALICE]), InvalidInput),
    "nobody of that id": (ALICE, CallRequest("audio", [uuid4()]), NotFound),
    "someone without a common channel": (ALICE, CallRequest("audio", [MALLORY]), NotFound),
    "one stranger among friends": (ALICE, CallRequest("audio", [BOB, MALLORY]), NotFound),
    "a caller in no channel": (MALLORY, CallRequest("audio", [ALICE]), NotFound),
    "a foreign channel": (MALLORY, CallRequest("audio", channel_id=GENERAL), NotFound),
    "a made-up channel": (ALICE, CallRequest("audio", channel_id=uuid4()), NotFound),
    "a ring of no time": (ALICE, CallRequest("audio", [BOB], ring_timeout_seconds=0), InvalidInput),
    "an endless ring": (ALICE, CallRequest("audio", [BOB], ring_timeout_seconds=601), InvalidInput),
    "metadata without end": (ALICE, CallRequest("audio", [BOB], metadata={"x": "y" * 9000}), InvalidInput),
    "metadata with a character that PostgreSQL lacks": (ALICE, CallRequest("audio", [BOB], metadata={"x": [{"y\0": 1}]}), InvalidInput),
    "metadata with a number that JSON lacks": (ALICE, CallRequest("audio", [BOB], metadata={"x": float("inf")}), InvalidInput),
    "a caller who is no user": (uuid4(), CallRequest("audio", [BOB]), InvalidInput),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refusal_changes_nothing(on: Setup, case: str) -> None:
    caller, request, refusal = REFUSED[case]
    before = await dump(on.database)
    with pytest.raises(refusal):
        await initiate_call(on.world, session(caller), request)
    assert await dump(on.database) == before
    assert on.rooms.asked == {}
    assert on.publisher.topics() == set()


async def test_more_people_than_the_limit(database_url: str) -> None:
    async with setup(database_url, CallLimits(max_participants=2)) as on:
        before = await dump(on.database)
        with pytest.raises(InvalidInput):
            await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB, CAROL]))
        assert await dump(on.database) == before


async def test_the_rate_limit_is_the_callers(on: Setup) -> None:
    on.limiter.used_up.add("initiate")
    before = await dump(on.database)
    with pytest.raises(RateLimited) as refused:
        await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    assert refused.value.extra == {"retryAfter": 2.5}
    assert on.limiter.hits == [("initiate", str(ALICE))]
    assert await dump(on.database) == before


async def test_metadata_may_speak_of_nul(on: Setup) -> None:
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB], metadata={"text": "\\u0000"}))
    assert await on.database.fetchval("SELECT metadata ->> 'text' FROM nchat_calls WHERE id = $1", started.call_id) == "\\u0000"


@dataclass(slots=True)
class HalfDeafRooms(FakeRooms):
    """The first to ask for a room hears nothing; meanwhile the same request comes again, and is heard."""

    again: Callable[[], Awaitable[object]] | None = None

    async def create_room(self, name: str, *, max_participants: int, empty_timeout: int | None = None) -> Room:
        # As a slot's super(): the class was made anew by the decorator.
        if self.again is None:
            return await FakeRooms.create_room(self, name, max_participants=max_participants, empty_timeout=empty_timeout)
        again, self.again = self.again, None
        await again()
        raise MediaError("rooms.create_room: no answer within 5 s")


async def test_a_failure_never_ends_what_a_repeated_request_got_going(on: Setup) -> None:
    rooms = HalfDeafRooms()
    world, request = replace(on.world, rooms=rooms), CallRequest("video", [BOB], client_request_id=uuid4())
    rooms.again = partial(initiate_call, world, session(ALICE), request)
    started = await initiate_call(world, session(ALICE), request)
    assert started.ticket is not None
    assert (await on.call(started.call_id))["status"] == "ringing"
    assert await on.pushes() == [("ring", BOB)]
    assert_valid_history(await on.events(started.call_id))
