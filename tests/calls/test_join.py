"""Joining a running call and renewing a token."""

import pytest

from domain.calls.actions.answer import accept_call, decline_call
from domain.calls.actions.invite import invite_to_call
from domain.calls.actions.join import join_call, refresh_call_token
from domain.calls.actions.leave import leave_call
from domain.errors import CallFull, CallNotStarted, NotAllowed, NotFound, RateLimited
from tests.calls.call_states import answered, group, open_channel_call, participant_id, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MOD, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def test_a_member_of_the_channel_comes_in(on: Setup) -> None:
    call_id = await open_channel_call(on)
    on.clock.advance(5)
    joined = await join_call(on.world, session(DAVE), call_id)
    row = await on.participant(call_id, DAVE)
    assert (row["status"], row["role"]) == ("connecting", "participant")
    assert joined.participant_ids == [await participant_id(on, call_id, ALICE), row["id"]]
    assert on.tokens.signed[str(DAVE)].sources == ("microphone", "camera")
    assert (await on.kinds(call_id))[2:] == ["call_accept"]


async def test_joining_a_ringing_call_accepts_it(on: Setup) -> None:
    call_id = await ringing(on)
    await join_call(on.world, session(BOB), call_id)
    assert (await on.kinds(call_id))[3:] == ["call_accept", "call_state_changed"]
    assert (await on.call(call_id))["status"] == "connecting"
    assert ("answered_elsewhere", BOB) in await on.pushes()


async def test_a_second_device_takes_the_call_over(on: Setup) -> None:
    call_id = await answered(on)
    first = await join_call(on.world, session(BOB), call_id)
    on.clock.advance(5)
    second = await join_call(on.world, session(BOB), call_id)
    assert first.participant_id == second.participant_id
    assert first.ticket is not None
    assert second.ticket is not None
    assert second.ticket.token != first.ticket.token
    assert (await on.participant(call_id, BOB))["status_since"] == on.clock.now()
    assert (await on.kinds(call_id))[5:] == []


async def test_who_left_or_declined_may_come_back(on: Setup) -> None:
    call_id = await group(on)
    await leave_call(on.world, session(BOB), call_id)
    await join_call(on.world, session(BOB), call_id)
    row = await on.participant(call_id, BOB)
    assert (row["status"], row["left_at"], row["leave_reason"]) == ("connecting", None, None)
    other = await ringing(on, BOB, CAROL)
    await decline_call(on.world, session(CAROL), other)
    await join_call(on.world, session(CAROL), other)
    assert (await on.call(other))["status"] == "connecting"
    assert_valid_history(await on.events(other))


async def test_a_viewer_may_only_watch(on: Setup) -> None:
    call_id = await answered(on)
    await on.database.execute("UPDATE nchat_call_participants SET role = 'viewer' WHERE user_id = $1", BOB)
    await refresh_call_token(on.world, session(BOB), call_id)
    grant = on.tokens.signed[str(BOB)]
    assert (grant.sources, grant.subscribe, grant.data) == ((), True, False)


async def test_a_full_call_keeps_the_seats_of_those_who_are_in(on: Setup) -> None:
    call_id = await open_channel_call(on)
    await on.database.execute("UPDATE nchat_calls SET max_participants = 2")
    await join_call(on.world, session(BOB), call_id)
    await on.database.execute("UPDATE nchat_call_participants SET status = 'disconnected' WHERE user_id = $1", BOB)
    before = await dump(on.database)
    with pytest.raises(CallFull):
        await join_call(on.world, session(CAROL), call_id)
    assert await dump(on.database) == before
    await join_call(on.world, session(BOB), call_id)


async def test_a_call_that_has_not_begun(on: Setup) -> None:
    insert = "INSERT INTO nchat_calls (initiator_id, type, channel_id) VALUES ($1, 'audio', $2) RETURNING id"
    call_id = await on.database.fetchval(insert, ALICE, GENERAL)
    before = await dump(on.database)
    with pytest.raises(CallNotStarted):
        await join_call(on.world, session(BOB), call_id)
    assert await dump(on.database) == before


async def test_a_call_that_has_not_begun_says_so_to_its_initiator_too(on: Setup) -> None:
    call_id = await on.database.fetchval("INSERT INTO nchat_calls (initiator_id, type) VALUES ($1, 'audio') RETURNING id", ALICE)
    before = await dump(on.database)
    with pytest.raises(CallNotStarted):
        await join_call(on.world, session(ALICE), call_id)
    with pytest.raises(CallNotStarted):
        await invite_to_call(on.world, session(ALICE), call_id, [BOB])
    with pytest.raises(NotFound):
        await join_call(on.world, session(CAROL), call_id)
    assert await dump(on.database) == before


async def test_who_may_see_a_call_may_not_always_join(on: Setup) -> None:
    call_id = await ringing(on)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await join_call(on.world, session(CAROL, "admin"), call_id)
    assert await dump(on.database) == before


async def test_a_token_is_renewed_only_for_who_is_in(on: Setup) -> None:
    call_id = await ringing(on)
    first = await refresh_call_token(on.world, session(ALICE), call_id)
    assert first.ticket.token.split("/")[1] == str(ALICE)
    before = await dump(on.database)
    with pytest.raises(NotAllowed):
        await refresh_call_token(on.world, session(BOB), call_id)
    on.limiter.used_up.add("token")
    for action in (join_call, refresh_call_token):
        with pytest.raises(RateLimited):
            await action(on.world, session(ALICE), call_id)
    assert await dump(on.database) == before


@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_who_is_taken_out_of_the_channel_keeps_only_calls_of_their_own(on: Setup, role: str) -> None:
    call_id, another = await open_channel_call(on), await open_channel_call(on, CAROL)
    await join_call(on.world, session(DAVE, role), call_id)
    await leave_call(on.world, session(DAVE, role), call_id)
    await on.database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", DAVE)
    before = await dump(on.database)
    for action in (join_call, refresh_call_token, leave_call, accept_call, decline_call):
        with pytest.raises(NotFound):
            await action(on.world, session(DAVE, role), another)
    assert await dump(on.database) == before
    await join_call(on.world, session(DAVE, role), call_id)


async def test_a_moderator_of_the_service_is_no_guest_everywhere(on: Setup) -> None:
    call_id = await open_channel_call(on)
    before = await dump(on.database)
    with pytest.raises(NotFound):
        await join_call(on.world, session(MOD, "moderator"), call_id)
    assert await dump(on.database) == before
