"""A recording goes from host to host, and stops where there is none any more."""

import pytest

from domain.calls.actions.kick import kick_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.role import set_participant_role
from domain.errors import NotAllowed
from domain.recordings.actions.pause import pause_recording
from domain.recordings.actions.stop import stop_recording
from tests.recordings.manners.asked_call import AskedCall, begin
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def recorded(on: Setup) -> AskedCall:
    """alice hosts; bob, carol and dave are in; LiveKit records."""
    call = await begin(on, BOB, CAROL, DAVE)
    await call.arrive(BOB, CAROL, DAVE)
    await call.record()
    await call.turn()
    on.recorder.become(on.recorder.last, "active")
    await on.database.execute("UPDATE nchat_call_recordings SET status = 'recording'")
    await on.database.execute("UPDATE nchat_call_recording_parts SET status = 'recording', media_started_at = now()")
    return call


async def stopped(on: Setup, call: AskedCall) -> list[object]:
    """The reasons with which it stopped."""
    return [event.payload["reason"] for event in await on.events(call.id) if event.kind == "recording_stopped"]


async def test_by_button_the_successor_inherits_it(on: Setup) -> None:
    call = await recorded(on)
    (recording,) = await on.database.fetch("SELECT id FROM nchat_call_recordings")
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await stop_recording(on.world, session(BOB), recording["id"])
    assert await dump(on.database) == before
    await leave_call(on.world, session(ALICE), call.id)
    await call.pass_time(40)
    assert (await stopped(on, call), await call.statuses()) == ([], ["recording"])
    await pause_recording(on.world, session(BOB), recording["id"])
    with pytest.raises(NotAllowed):
        await stop_recording(on.world, session(CAROL), recording["id"])
    await stop_recording(on.world, session(BOB), recording["id"])
    assert await stopped(on, call) == ["stopped"]


async def test_a_cut_network_stops_it_within_35_seconds(on: Setup) -> None:
    call = await recorded(on)
    await call.room.leave(ALICE, "signal_close")
    await call.turn()
    await call.pass_time(29)
    assert await stopped(on, call) == []
    await call.pass_time(1)
    assert (await stopped(on, call), await call.statuses()) == (["no_host"], ["processing"])


async def test_a_host_who_comes_back_in_time_keeps_it(on: Setup) -> None:
    call = await recorded(on)
    for _ in range(3):
        await call.room.leave(ALICE, "signal_close")
        await call.pass_time(20)
        await call.room.join(ALICE, "microphone")
        await call.pass_time(20)
    assert (await stopped(on, call), await call.statuses()) == ([], ["recording"])


async def test_a_co_host_keeps_it_and_after_a_minute_hosts(on: Setup) -> None:
    call = await recorded(on)
    bob = (await on.participant(call.id, BOB))["id"]
    await set_participant_role(on.world, session(ALICE), call.id, bob, "co_host")
    await call.room.leave(ALICE, "signal_close")
    for _ in range(7):
        await call.pass_time(10)
    assert (await stopped(on, call), await call.state(ALICE)) == ([], ("left", "network_error"))
    assert (await on.participant(call.id, BOB))["role"] == "host"


async def test_hosts_who_are_gone_one_after_the_other(on: Setup) -> None:
    """The 30 s count from the last: carol is lost first, and then inherits it before those who only watch."""
    call = await recorded(on)
    for user_id in (BOB, DAVE):
        watching = (await on.participant(call.id, user_id))["id"]
        await set_participant_role(on.world, session(ALICE), call.id, watching, "viewer")
    await call.room.leave(CAROL, "signal_close")
    await call.pass_time(20)
    await leave_call(on.world, session(ALICE), call.id)
    assert (await on.participant(call.id, CAROL))["role"] == "host"
    await call.turn()
    await call.pass_time(29)
    assert await stopped(on, call) == []
    await call.pass_time(1)
    assert await stopped(on, call) == ["no_host"]


async def test_last_of_all_it_ends_with_the_call(on: Setup) -> None:
    call = await recorded(on)
    for user_id in (BOB, CAROL, DAVE, ALICE):
        await leave_call(on.world, session(user_id), call.id)
    await call.turn()
    assert await stopped(on, call) == ["call_ended"]


async def test_a_removed_co_host_keeps_nothing(on: Setup) -> None:
    call = await recorded(on)
    bob = (await on.participant(call.id, BOB))["id"]
    await set_participant_role(on.world, session(ALICE), call.id, bob, "co_host")
    await kick_participant(on.world, session(ALICE), call.id, bob)
    await call.room.leave(ALICE, "signal_close")
    await call.turn()
    await call.pass_time(30)
    assert await stopped(on, call) == ["no_host"]
