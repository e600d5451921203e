"""Roles in a call: given by the host alone, told to LiveKit, and exactly one host at every moment."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from domain.calls.actions.join import join_call
from domain.calls.actions.role import Role, set_participant_role
from domain.calls.actions.screen_share import start_screen_share
from domain.errors import InvalidInput, NotAllowed, NotFound
from domain.ports import Grant
from tests.calls.call_states import group, participant_id, ringing
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.dump import dump
from tests.support.fake_rooms import FakeRooms

pytestmark = pytest.mark.anyio
SILENT = Grant(sources=(), subscribe=True, data=False)
HEARD = Grant(sources=("microphone", "camera"), subscribe=True, data=True)


async def roles(on: Setup, call_id: UUID) -> dict[UUID, str]:
    rows = await on.database.fetch("SELECT user_id, role FROM nchat_call_participants WHERE call_id = $1", call_id)
    return {row["user_id"]: row["role"] for row in rows}


async def give(on: Setup, call_id: UUID, by: UUID, to: UUID, role: Role) -> None:
    await set_participant_role(on.world, session(by), call_id, await participant_id(on, call_id, to), role)


async def test_a_role_is_a_row_an_event_and_rights_in_the_room(on: Setup) -> None:
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB), "microphone")
    steps: list[tuple[Role, Grant]] = [("viewer", SILENT), ("participant", HEARD), ("co_host", HEARD)]
    for role, grant in steps:
        await give(on, call_id, ALICE, BOB, role)
        assert (await roles(on, call_id))[BOB] == role
        assert on.rooms.grants[room, str(BOB)] == grant
    told = [event for event in await on.events(call_id) if event.kind == "role_changed"]
    assert [(event.payload["from"], event.payload["to"]) for event in told] == [
        ("participant", "viewer"),
        ("viewer", "participant"),
        ("participant", "co_host"),
    ]
    assert {(event.actor_id, event.payload["participantId"]) for event in told} == {
        (str(ALICE), str(await participant_id(on, call_id, BOB)))
    }


async def test_the_same_role_again_changes_nothing(on: Setup) -> None:
    call_id = await group(on)
    await give(on, call_id, ALICE, BOB, "co_host")
    before = await dump(on.database)
    on.rooms.asked.clear()
    await give(on, call_id, ALICE, BOB, "co_host")
    await give(on, call_id, ALICE, ALICE, "host")
    assert await dump(on.database) == before
    assert on.rooms.asked == {}


async def test_handing_the_call_on_leaves_one_host(on: Setup) -> None:
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB))
    await give(on, call_id, ALICE, BOB, "viewer")
    await give(on, call_id, ALICE, BOB, "host")
    assert await roles(on, call_id) == {ALICE: "participant", BOB: "host", CAROL: "participant"}
    assert on.rooms.grants[room, str(BOB)] == HEARD
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await give(on, call_id, ALICE, ALICE, "host")
    assert await dump(on.database) == before


async def test_of_two_who_get_the_call_at_once_one_has_it(on: Setup) -> None:
    call_id = await group(on)
    heirs = [await participant_id(on, call_id, to) for to in (BOB, CAROL)]
    handing_on = (set_participant_role(on.world, session(ALICE), call_id, to, "host") for to in heirs)
    done = await asyncio.gather(*handing_on, return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, BaseException)] == [NotAllowed]
    assert sorted((await roles(on, call_id)).values()) == ["host", "participant", "participant"]


async def test_a_viewer_stops_sharing_and_does_not_begin_again_by_a_later_role(on: Setup) -> None:
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB), "microphone")
    await start_screen_share(on.world, session(BOB), call_id)
    await give(on, call_id, ALICE, BOB, "viewer")
    assert on.rooms.grants[room, str(BOB)] == SILENT
    with pytest.raises(NotAllowed):
        await start_screen_share(on.world, session(BOB), call_id)
    await give(on, call_id, ALICE, BOB, "participant")
    assert on.rooms.grants[room, str(BOB)] == HEARD


async def test_a_role_is_in_the_next_token(on: Setup) -> None:
    call_id = await group(on)
    await give(on, call_id, ALICE, BOB, "viewer")
    await join_call(on.world, session(BOB), call_id)
    assert on.tokens.signed[str(BOB)] == SILENT


async def test_of_two_changes_the_later_one_is_what_livekit_hears_last(on: Setup) -> None:
    """The first change is on its way to LiveKit while the second is made and told."""
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB), "microphone")
    bob = await participant_id(on, call_id, BOB)

    class SlowRooms(FakeRooms):
        async def set_grant(self, room: str, identity: str, grant: Grant) -> bool:
            if not slow.asked:
                slow.asked["set_grant"] += 1
                await set_participant_role(on.world, session(ALICE), call_id, bob, "participant")
            return await on.rooms.set_grant(room, identity, grant)

    slow = SlowRooms()
    await set_participant_role(replace(on.world, rooms=slow), session(ALICE), call_id, bob, "viewer")
    assert (await roles(on, call_id))[BOB] == "participant"
    assert on.rooms.grants[room, str(BOB)] == HEARD


async def test_a_silent_livekit_leaves_the_role_to_the_reconciler(on: Setup) -> None:
    call_id = await group(on)
    on.rooms.broken.add("set_grant")
    await give(on, call_id, ALICE, BOB, "viewer")
    assert (await roles(on, call_id))[BOB] == "viewer"


async def test_nobody_but_the_host_gives_roles(on: Setup) -> None:
    call_id = await group(on)
    await give(on, call_id, ALICE, BOB, "co_host")
    before = await dump(on.database)
    on.rooms.asked.clear()
    for who in (BOB, CAROL):
        for role in ("host", "co_host", "viewer"):
            for to in (ALICE, BOB, CAROL):
                with pytest.raises(NotAllowed):
                    await give(on, call_id, who, to, role)
    assert await dump(on.database) == before
    assert on.rooms.asked == {}


async def test_what_the_host_may_not_do(on: Setup) -> None:
    call_id, elsewhere = await ringing(on, BOB, CAROL), await ringing(on, CAROL, by=DAVE)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await give(on, call_id, ALICE, ALICE, "co_host")
    with pytest.raises(InvalidInput):
        await give(on, call_id, ALICE, BOB, "host")
    with pytest.raises(NotFound):
        await set_participant_role(on.world, session(ALICE), call_id, await participant_id(on, elsewhere, CAROL), "co_host")
    assert await dump(on.database) == before


async def test_a_role_given_while_it_rings_is_the_one_that_comes_in(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await give(on, call_id, ALICE, BOB, "viewer")
    await join_call(on.world, session(BOB), call_id)
    assert on.tokens.signed[str(BOB)] == SILENT
