"""Leaving a call, handing it on, and ending it."""

import pytest

from domain.calls.actions.end import end_call
from domain.calls.actions.join import join_call
from domain.calls.actions.leave import leave_call
from domain.errors import NotAllowed
from tests.calls.call_states import answered, group, open_channel_call, participant_id, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def test_a_direct_call_ends_when_either_leaves(on: Setup) -> None:
    call_id = await answered(on)
    left = await leave_call(on.world, session(BOB), call_id)
    assert left.call_ended
    call = await on.call(call_id)
    assert (call["status"], call["end_reason"]) == ("ended", "completed")
    assert (await on.kinds(call_id))[5:] == ["call_participant_left", "call_state_changed", "call_end"]
    assert on.rooms.rooms == {}
    assert_valid_history(await on.events(call_id))


async def test_a_group_goes_on_until_the_last_one_is_out(on: Setup) -> None:
    call_id = await group(on)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(CAROL))
    assert not (await leave_call(on.world, session(CAROL), call_id, "network_error")).call_ended
    row = await on.participant(call_id, CAROL)
    assert (row["status"], row["leave_reason"]) == ("left", "network_error")
    assert on.rooms.people[room] == {}
    assert not (await leave_call(on.world, session(ALICE), call_id)).call_ended
    assert (await leave_call(on.world, session(BOB), call_id)).call_ended
    assert (await on.call(call_id))["end_reason"] == "completed"


async def test_leaving_twice_is_leaving_once(on: Setup) -> None:
    call_id = await group(on)
    first = await leave_call(on.world, session(CAROL), call_id)
    before = await dump(on.database)
    assert await leave_call(on.world, session(CAROL), call_id) == first
    assert await dump(on.database) == before


async def test_the_co_host_inherits_the_call(on: Setup) -> None:
    call_id = await group(on)
    await on.database.execute("UPDATE nchat_call_participants SET status = 'connected', joined_at = now() WHERE user_id <> $1", CAROL)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'co_host' WHERE user_id = $1", CAROL)
    await leave_call(on.world, session(ALICE), call_id)
    roles = {user: (await on.participant(call_id, user))["role"] for user in (ALICE, BOB, CAROL)}
    assert roles == {ALICE: "participant", BOB: "participant", CAROL: "host"}
    changes = [event.payload for event in await on.events(call_id) if event.kind == "role_changed"]
    assert changes == [
        {"from": "host", "to": "participant", "participantId": str(await participant_id(on, call_id, ALICE))},
        {"from": "co_host", "to": "host", "participantId": str(await participant_id(on, call_id, CAROL))},
    ]


async def test_otherwise_who_is_connected_longest(on: Setup) -> None:
    call_id = await group(on)
    await on.database.execute(
        "UPDATE nchat_call_participants SET status = 'connected', joined_at = now() - make_interval(mins => (user_id = $1)::int)", CAROL
    )
    await leave_call(on.world, session(ALICE), call_id)
    assert (await on.participant(call_id, CAROL))["role"] == "host"


async def test_a_viewer_who_inherits_may_speak(on: Setup) -> None:
    call_id = await open_channel_call(on)
    await join_call(on.world, session(BOB), call_id)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE user_id = $1", BOB)
    room = (await on.call(call_id))["room_name"]
    on.rooms.join(room, str(BOB))
    await leave_call(on.world, session(ALICE), call_id)
    assert (await on.participant(call_id, BOB))["role"] == "host"
    assert on.rooms.grants[room, str(BOB)].sources == ("microphone", "camera")


async def test_rings_stop_when_nobody_is_left_to_talk_to(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    assert (await leave_call(on.world, session(ALICE), call_id)).call_ended
    assert {("cancel", BOB), ("cancel", CAROL)} <= set(await on.pushes())


async def test_only_who_was_in_leaves(on: Setup) -> None:
    call_id = await ringing(on)
    channel_call = await open_channel_call(on, CAROL)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await leave_call(on.world, session(BOB), call_id)
    with pytest.raises(NotAllowed):
        await leave_call(on.world, session(DAVE), channel_call)
    assert await dump(on.database) == before


@pytest.mark.parametrize("reason", ["host_ended", "completed"])
async def test_the_host_ends_the_call(on: Setup, reason: str) -> None:
    call_id = await group(on)
    await end_call(on.world, session(ALICE), call_id, reason)  # type: ignore[arg-type]
    call = await on.call(call_id)
    assert (call["status"], call["end_reason"], call["ended_at"]) == ("ended", reason, on.clock.now())
    assert (await on.kinds(call_id))[-2:] == ["call_state_changed", "call_end"]
    assert on.rooms.rooms == {}
    assert_valid_history(await on.events(call_id))


async def test_a_co_host_and_an_admin_end_it_too(on: Setup) -> None:
    first = await group(on)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'co_host' WHERE user_id = $1", BOB)
    await end_call(on.world, session(BOB), first)
    second = await group(on)
    await end_call(on.world, session(MALLORY, "admin"), second)
    assert (await on.events(second))[-1].actor_id == str(MALLORY)


async def test_nobody_else_ends_it(on: Setup) -> None:
    call_id = await group(on)
    before = await dump(on.database)
    for caller in (session(BOB), session(CAROL, "moderator")):
        with pytest.raises(NotAllowed):
            await end_call(on.world, caller, call_id)
    assert await dump(on.database) == before
