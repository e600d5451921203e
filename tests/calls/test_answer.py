"""Accepting, declining and cancelling a ring."""

import pytest

from domain.calls.actions.answer import accept_call, cancel_call, decline_call
from domain.errors import AnsweredElsewhere, CallEnded, CallFull, NotAllowed, NotRinging, RateLimited
from domain.ports import CallLimits
from tests.calls.call_states import answered, open_channel_call, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, session, setup
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def test_accepting_brings_the_call_to_connecting(on: Setup) -> None:
    call_id = await ringing(on)
    on.publisher.topics()
    accepted = await accept_call(on.world, session(BOB), call_id)
    assert (await on.call(call_id))["status"] == "connecting"
    assert (await on.participant(call_id, BOB))["status"] == "connecting"
    assert accepted.ticket.token.split("/")[1] == str(BOB)
    assert (await on.kinds(call_id))[3:] == ["call_accept", "call_state_changed"]
    assert await on.pushes() == [("ring", BOB), ("answered_elsewhere", BOB)]
    assert f"user:{BOB}" in on.publisher.topics()
    assert_valid_history(await on.events(call_id))


async def test_the_second_to_accept_changes_no_state(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await accept_call(on.world, session(BOB), call_id)
    await accept_call(on.world, session(CAROL), call_id)
    assert (await on.kinds(call_id))[4:] == ["call_accept", "call_state_changed", "call_accept"]


async def test_another_device_is_told_so(on: Setup) -> None:
    call_id = await answered(on)
    before = await dump(on.database)
    for answer in (accept_call, decline_call):
        with pytest.raises(AnsweredElsewhere):
            await answer(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


async def test_a_full_call_takes_nobody(database_url: str) -> None:
    async with setup(database_url, CallLimits(max_participants=3)) as on:
        call_id = await ringing(on, BOB, CAROL)
        await on.database.execute("UPDATE nchat_calls SET max_participants = 2")
        await accept_call(on.world, session(BOB), call_id)
        before = await dump(on.database)
        with pytest.raises(CallFull):
            await accept_call(on.world, session(CAROL), call_id)
        assert await dump(on.database) == before


async def test_the_token_limit_comes_before_everything(on: Setup) -> None:
    call_id = await ringing(on)
    on.limiter.used_up.add("token")
    before = await dump(on.database)
    with pytest.raises(RateLimited):
        await accept_call(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


@pytest.mark.parametrize("reason", ["declined", "busy"])
async def test_the_only_target_declines(on: Setup, reason: str) -> None:
    call_id = await ringing(on)
    declined = await decline_call(on.world, session(BOB), call_id, reason)  # type: ignore[arg-type]
    assert declined.call_ended
    call = await on.call(call_id)
    assert (call["status"], call["end_reason"]) == ("ended", reason)
    assert (await on.participant(call_id, BOB))["leave_reason"] == reason
    assert (await on.participant(call_id, ALICE))["leave_reason"] == "call_ended"
    assert (await on.kinds(call_id))[3:] == ["call_decline", "call_state_changed", "call_end"]
    assert await on.pushes() == [("ring", BOB), ("cancel", BOB)]
    assert on.rooms.rooms == {}
    assert_valid_history(await on.events(call_id))


async def test_the_call_rings_on_while_someone_may_still_accept(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    assert not (await decline_call(on.world, session(BOB), call_id, "busy")).call_ended
    assert (await on.call(call_id))["status"] == "ringing"
    assert (await decline_call(on.world, session(CAROL), call_id)).call_ended
    assert (await on.call(call_id))["end_reason"] == "declined"


async def test_a_no_after_someones_yes_ends_nothing(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await accept_call(on.world, session(BOB), call_id)
    assert not (await decline_call(on.world, session(CAROL), call_id)).call_ended
    assert (await on.call(call_id))["status"] == "connecting"


async def test_cancelling_silences_everyone(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await cancel_call(on.world, session(ALICE), call_id)
    call = await on.call(call_id)
    assert (call["status"], call["end_reason"]) == ("ended", "cancelled")
    assert (await on.participant(call_id, CAROL))["leave_reason"] == "cancelled"
    assert (await on.kinds(call_id))[4:] == ["call_cancelled", "call_state_changed", "call_end"]
    assert set(await on.pushes()) == {("ring", BOB), ("ring", CAROL), ("cancel", BOB), ("cancel", CAROL)}
    assert on.rooms.rooms == {}


async def test_a_call_written_through_the_table_can_be_cancelled(on: Setup) -> None:
    call_id = await on.database.fetchval("INSERT INTO nchat_calls (initiator_id, type) VALUES ($1, 'audio') RETURNING id", ALICE)
    await cancel_call(on.world, session(ALICE), call_id)
    assert await on.kinds(call_id) == ["call_initiate", "call_cancelled", "call_state_changed", "call_end"]
    assert_valid_history(await on.events(call_id))


async def test_only_who_is_rung_answers_and_only_the_caller_cancels(on: Setup) -> None:
    call_id = await ringing(on)
    channel_call = await open_channel_call(on, CAROL)
    before = await dump(on.database)
    for answer in (accept_call, decline_call):
        with pytest.raises(NotRinging):
            await answer(on.world, session(ALICE), call_id)
        with pytest.raises(NotRinging):
            await answer(on.world, session(DAVE), channel_call)
    with pytest.raises(NotAllowed):
        await cancel_call(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


async def test_a_connected_call_is_not_cancelled(on: Setup) -> None:
    call_id = await answered(on)
    await on.database.execute("UPDATE nchat_calls SET status = 'connected'")
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await cancel_call(on.world, session(ALICE), call_id)
    assert await dump(on.database) == before


async def test_a_declined_ring_cannot_be_accepted_any_more(on: Setup) -> None:
    call_id = await ringing(on, BOB, CAROL)
    await decline_call(on.world, session(BOB), call_id)
    before = await dump(on.database)
    with pytest.raises(NotRinging):
        await accept_call(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


async def test_a_media_server_that_fails_does_not_stop_the_end(on: Setup) -> None:
    call_id = await ringing(on)
    on.rooms.broken.add("delete_room")
    await cancel_call(on.world, session(ALICE), call_id)
    assert (await on.call(call_id))["status"] == "ended"
    with pytest.raises(CallEnded):
        await cancel_call(on.world, session(ALICE), call_id)
