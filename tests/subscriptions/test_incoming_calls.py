"""incomingCalls: what rings now, what begins to ring, and how it ended, for each device of a person."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.calls.actions.answer import accept_call, cancel_call, decline_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.invite import invite_to_call
from domain.timeouts import run_timeouts
from permissions.session import Session
from tests.calls.call_states import answered, ringing
from tests.subscriptions.listening import RINGS, Listeners
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


def kinds(got: list[Any]) -> list[str]:
    return [ring["kind"] for ring in got]


async def test_a_ring_as_it_is_sent(on: Setup, listen: Listeners) -> None:
    call_id = (await initiate_call(on.world, session(ALICE), CallRequest("audio", (BOB,), channel_id=GENERAL))).call_id
    _, ring = await listen(session(BOB), RINGS).count(2)
    expires_at = datetime.fromisoformat(ring.pop("ringExpiresAt"))
    assert expires_at == (await on.participant(call_id, BOB))["status_since"] + timedelta(seconds=45)
    assert ring == {
        "kind": "incoming",
        "openCallIds": None,
        "callId": str(call_id),
        "type": "audio",
        "channelId": str(GENERAL),
        "caller": {"id": str(ALICE), "displayName": "Alice", "avatarUrl": None},
    }


NOTHING = dict.fromkeys(("callId", "type", "channelId", "caller", "ringExpiresAt"))


async def test_first_comes_one_snapshot_of_what_rings(on: Setup, listen: Listeners) -> None:
    idle = listen(session(BOB), RINGS)
    assert await idle.count(1) == [{"kind": "snapshot", "openCallIds": [], **NOTHING}]
    first = await ringing(on, BOB, CAROL)
    await accept_call(on.world, session(CAROL), first)
    on.clock.advance(1)
    second = await ringing(on, by=DAVE)
    await idle.count(3)
    over = await ringing(on, by=CAROL)
    await idle.count(4)
    await decline_call(on.world, session(BOB), over, "declined")
    open_now = [str(first), str(second)]
    snapshot, *rings = await listen(session(BOB), RINGS).count(3)
    assert snapshot == {"kind": "snapshot", "openCallIds": open_now, **NOTHING}
    assert ([ring["callId"] for ring in rings], kinds(rings)) == (open_now, ["incoming", "incoming"])
    assert kinds(await idle.count(5)) == ["snapshot", "incoming", "incoming", "incoming", "cancelled"]
    assert idle.got[-1]["callId"] == str(over)


async def end(on: Setup, how: str, call_id: UUID) -> None:
    match how:
        case "accept":
            await accept_call(on.world, session(BOB), call_id)
        case "decline":
            await decline_call(on.world, session(BOB), call_id, "declined")
        case "cancel":
            await cancel_call(on.world, session(ALICE), call_id)
        case "time out":
            on.clock.advance(46)
            assert await run_timeouts(on.world) == 1


@pytest.mark.parametrize(
    ("how", "kind"), [("accept", "answered_elsewhere"), ("decline", "cancelled"), ("cancel", "cancelled"), ("time out", "missed")]
)
async def test_each_device_hears_how_a_ring_ended(on: Setup, listen: Listeners, how: str, kind: str) -> None:
    early = listen.rings(session(BOB))
    call_id = await ringing(on)
    late = listen.rings(session(BOB))
    for device in (early, late):
        await device.count(1)
    await end(on, how, call_id)
    for device in (early, late):
        got = await device.count(2)
        assert kinds(got) == ["incoming", kind]
        assert got[1] == got[0] | {"kind": kind}


async def test_a_second_ring_of_the_same_call_is_incoming_again(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await accept_call(on.world, session(CAROL), call_id)
    device = listen.rings(session(BOB))
    await device.count(1)
    await decline_call(on.world, session(BOB), call_id, "declined")
    await device.count(2)
    on.clock.advance(1)
    await invite_to_call(on.world, session(ALICE), call_id, [BOB])
    assert kinds(await device.count(3)) == ["incoming", "cancelled", "incoming"]


async def test_a_ring_that_ended_and_began_anew_unheard(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    device = listen.rings(session(BOB))
    (first,) = await device.count(1)
    # Both changes at once and without a hint, as after a break of the broker.
    await on.database.execute("UPDATE nchat_call_participants SET invited_at = invited_at + interval '10 s' WHERE user_id = $1", BOB)
    got = await device.count(3, seconds=2)
    assert kinds(got) == ["incoming", "cancelled", "incoming"]
    assert (got[1], got[2]["callId"]) == (first | {"kind": "cancelled"}, str(call_id))
    assert got[2]["ringExpiresAt"] > first["ringExpiresAt"]


async def test_a_lost_hint_is_a_second_of_delay(on: Setup, listen: Listeners) -> None:
    call_id = await ringing(on)
    device = listen.rings(session(BOB))
    await device.count(1)
    await on.database.execute(
        "UPDATE nchat_call_participants SET status = 'left', leave_reason = 'missed' WHERE call_id = $1 AND user_id = $2", call_id, BOB
    )
    assert kinds(await device.count(2, seconds=2)) == ["incoming", "missed"]


async def test_nobody_hears_the_rings_of_others(on: Setup, listen: Listeners) -> None:
    others = [listen.rings(session(who)) for who in (ALICE, CAROL)]
    moderator = listen.rings(session(CAROL, "moderator"))
    bob = listen.rings(session(BOB))
    await ringing(on)
    await bob.count(1)
    await answered_another(on)
    assert kinds(await moderator.count(1)) == kinds(await others[1].count(1)) == ["incoming"]
    assert not others[0].got


async def answered_another(on: Setup) -> None:
    """A ring for Carol: had she heard Bob's, it would have come first."""
    await initiate_call(on.world, session(BOB), CallRequest("audio", (CAROL,)))


async def test_without_a_person_there_are_no_rings(on: Setup, listen: Listeners) -> None:
    await answered(on)
    before = await dump(on.database)
    refused = await listen(Session("admin"), RINGS).ended()
    assert (refused.code, refused.message) == ("not-found", 'missing session variable: "x-hasura-user-id"')
    assert await dump(on.database) == before
