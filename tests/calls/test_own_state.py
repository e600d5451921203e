"""What people say of themselves: a raised hand, and how good the connection is."""

import asyncio

import pytest

from domain.calls.actions.join import join_call
from domain.calls.actions.leave import leave_call
from domain.calls.actions.own_state import lower_hand, raise_hand, report_connection_quality
from domain.errors import ActionError, InvalidInput, NotAllowed, RateLimited
from tests.calls.call_states import answered, group, open_channel_call, participant_id
from tests.support.domain_setup import ALICE, BOB, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def test_a_hand_goes_up_once_and_down_once(on: Setup) -> None:
    call_id = await answered(on)
    before = await on.kinds(call_id)
    await raise_hand(on.world, session(BOB), call_id)
    since = (await on.participant(call_id, BOB))["hand_raised_at"]
    assert since == on.clock.time
    on.clock.advance(5)
    await raise_hand(on.world, session(BOB), call_id)
    assert (await on.participant(call_id, BOB))["hand_raised_at"] == since
    for _ in range(2):
        await lower_hand(on.world, session(BOB), call_id)
    assert (await on.participant(call_id, BOB))["hand_raised_at"] is None
    told = (await on.events(call_id))[len(before) :]
    me = {"participantId": str(await participant_id(on, call_id, BOB))}
    assert [(event.kind, event.actor_id, event.payload) for event in told] == [
        ("hand_raised", str(BOB), me),
        ("hand_lowered", str(BOB), me),
    ]


async def test_two_devices_that_raise_a_hand_at_once_raise_one(on: Setup) -> None:
    call_id = await answered(on)
    await asyncio.gather(*(raise_hand(on.world, session(BOB), call_id) for _ in range(8)))
    assert (await on.kinds(call_id)).count("hand_raised") == 1


async def test_who_is_out_asks_for_nothing(on: Setup) -> None:
    call_id = await group(on)
    await raise_hand(on.world, session(BOB), call_id)
    await report_connection_quality(on.world, session(BOB), call_id, "good", {})
    await leave_call(on.world, session(BOB), call_id)
    await join_call(on.world, session(BOB), call_id)
    row = await on.participant(call_id, BOB)
    assert (row["hand_raised_at"], row["connection_quality"]) == (None, None)


async def test_who_only_sees_the_call_has_no_hand_there(on: Setup) -> None:
    call_id = await open_channel_call(on)
    before = await dump(on.database)
    for act in (raise_hand, lower_hand):
        with pytest.raises(NotAllowed):
            await act(on.world, session(BOB), call_id)
    with pytest.raises(NotAllowed):
        await report_connection_quality(on.world, session(BOB), call_id, "good", {})
    assert await dump(on.database) == before


async def test_a_quality_is_told_when_it_changes(on: Setup) -> None:
    call_id = await answered(on)
    for said in ("unknown", "good", "good", "lost", "unknown", "unknown"):
        await report_connection_quality(on.world, session(BOB), call_id, said, {})
    told = [event.payload["quality"] for event in await on.events(call_id) if event.kind == "connection_quality_changed"]
    assert told == ["good", "lost", None]
    assert (await on.participant(call_id, BOB))["connection_quality"] is None
    assert (await on.participant(call_id, ALICE))["connection_quality"] is None


async def test_of_the_figures_only_numbers_with_a_name_are_told(on: Setup) -> None:
    call_id = await answered(on)
    stats = {
        "packetLoss": 0.5,
        "jitter": "7 ms",
        "latency": True,
        "localAddress": "192.0.2.7",
        "bitrate": {"upload": 7, "download": None, "via": "192.0.2.8"},
    }
    await report_connection_quality(on.world, session(BOB), call_id, "poor", stats)
    me = str(await participant_id(on, call_id, BOB))
    told = {"quality": "poor", "stats": {"packetLoss": 0.5, "bitrate": {"upload": 7}}, "participantId": me}
    assert (await on.events(call_id))[-1].payload == told


async def test_what_a_report_refuses(on: Setup) -> None:
    call_id = await answered(on)
    before = await dump(on.database)
    refused: list[tuple[dict[str, object], type[ActionError]]] = [
        ({"packetLoss": float("inf")}, InvalidInput),
        ({"note": "x" * 2048}, InvalidInput),
        ({"note": "\0"}, InvalidInput),
    ]
    for stats, refusal in refused:
        with pytest.raises(refusal):
            await report_connection_quality(on.world, session(BOB), call_id, "poor", stats)
    on.limiter.used_up.add("quality")
    with pytest.raises(RateLimited):
        await report_connection_quality(on.world, session(BOB), call_id, "poor", {})
    assert on.limiter.hits[-1] == ("quality", str(BOB))
    assert await dump(on.database) == before
