"""A call that was written down through the table, and is started later by who wrote it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from domain.calls.actions.answer import accept_call, cancel_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.scheduled import start_scheduled_call
from domain.errors import ActionError, CallEnded, CallNotStarted, InvalidInput, MediaUnavailable, NotAllowed, NotFound, RateLimited
from domain.reconciler import reconcile
from domain.timeouts import run_timeouts
from tests.calls.call_states import answered
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
INSERT = "INSERT INTO nchat_calls (initiator_id, channel_id, type, scheduled_at, created_at) VALUES ($1, $2, 'video', $3, $4) RETURNING id"


async def planned(on: Setup, channel_id: UUID | None = None, *, by: UUID = ALICE) -> UUID:
    """Alice plans a call an hour ahead."""
    now = on.clock.now()
    found: UUID = await on.database.fetchval(INSERT, by, channel_id, now + timedelta(hours=1), now)
    return found


async def people(on: Setup, call_id: UUID) -> dict[UUID, tuple[str, str]]:
    rows = await on.database.fetch("SELECT user_id, role, status FROM nchat_call_participants WHERE call_id = $1", call_id)
    return {row["user_id"]: (row["role"], row["status"]) for row in rows}


async def test_it_rings_as_any_other_call(on: Setup) -> None:
    call_id = await planned(on)
    on.clock.advance(3600)
    started = await start_scheduled_call(on.world, session(ALICE), call_id, [BOB, CAROL, BOB])
    assert (started.call_id, started.ticket is not None) == (call_id, True)
    assert await people(on, call_id) == {
        ALICE: ("host", "connecting"),
        BOB: ("participant", "ringing"),
        CAROL: ("participant", "ringing"),
    }
    row = await on.call(call_id)
    assert (row["status"], row["room_name"] in on.rooms.rooms) == ("ringing", True)
    assert [kind for kind, _ in await on.pushes()] == ["ring", "ring"]
    await accept_call(on.world, session(BOB), call_id)
    assert_valid_history(await on.events(call_id))
    assert (await on.kinds(call_id))[0] == "call_initiate"


async def test_in_a_channel_it_rings_nobody_and_waits_for_members(on: Setup) -> None:
    call_id = await planned(on, GENERAL)
    with pytest.raises(CallNotStarted):
        await join_call(on.world, session(BOB), call_id)
    await start_scheduled_call(on.world, session(ALICE), call_id)
    assert (await on.call(call_id))["status"] == "connecting"
    assert (await join_call(on.world, session(BOB), call_id)).ticket is not None


async def test_the_deployments_limit_holds_for_it(on: Setup) -> None:
    call_id = await planned(on)
    await on.database.execute("UPDATE nchat_calls SET max_participants = 7")
    await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert (await on.call(call_id))["max_participants"] == on.world.limits.max_participants


async def test_a_busy_single_target_ends_it(on: Setup) -> None:
    await initiate_call(on.world, session(BOB), CallRequest("audio", channel_id=GENERAL))
    call_id = await planned(on)
    started = await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert started.ticket is None
    row = await on.call(call_id)
    assert (row["status"], row["end_reason"]) == ("ended", "busy")


async def test_whoever_starts_it_leaves_the_call_they_were_in(on: Setup) -> None:
    call_id, before = await planned(on), await answered(on)
    await start_scheduled_call(on.world, session(ALICE), call_id, [CAROL])
    assert (await on.call(before))["status"] == "ended"


async def test_starting_it_twice_is_starting_it_once(on: Setup) -> None:
    call_id = await planned(on)
    done = await asyncio.gather(*(start_scheduled_call(on.world, session(ALICE), call_id, [BOB]) for _ in range(5)))
    assert all(one.ticket is not None for one in done)
    await start_scheduled_call(on.world, session(ALICE), call_id, [CAROL])
    assert await people(on, call_id) == {ALICE: ("host", "connecting"), BOB: ("participant", "ringing")}
    assert (await on.kinds(call_id)).count("call_incoming") == 1
    assert_valid_history(await on.events(call_id))


async def test_a_silent_livekit_ends_it_failed(on: Setup) -> None:
    call_id = await planned(on)
    on.rooms.broken.add("create_room")
    with pytest.raises(MediaUnavailable):
        await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert (await on.call(call_id))["end_reason"] == "failed"
    with pytest.raises(CallEnded):
        await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])


async def test_the_reconciler_finishes_a_start_and_begins_none(on: Setup) -> None:
    call_id, waits = await planned(on), await planned(on)
    on.clock.advance(60)
    await on.database.execute(
        "INSERT INTO nchat_call_participants (call_id, user_id, role, status) VALUES ($1, $2, 'host', 'connecting'),"
        " ($1, $3, 'participant', 'invited')",
        call_id, ALICE, BOB,
    )  # fmt: skip
    await reconcile(on.world)
    assert (await on.call(call_id))["status"] == "ringing"
    assert ((await on.call(waits))["status"], await people(on, waits)) == ("initiated", {})


async def test_it_waits_a_day_and_no_longer(on: Setup) -> None:
    call_id = await planned(on)
    on.clock.advance(25 * 3600 - 1)
    await run_timeouts(on.world)
    assert (await on.call(call_id))["status"] == "initiated"
    on.clock.advance(1)
    await run_timeouts(on.world)
    row = await on.call(call_id)
    assert (row["status"], row["end_reason"]) == ("ended", "cancelled")
    with pytest.raises(CallEnded):
        await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])


@pytest.mark.parametrize("at", ["0044-03-15 12:00+00 BC", "-infinity"])
async def test_a_time_in_no_calendar_holds_up_no_other(on: Setup, at: str) -> None:
    """An administrator's script writes past every check."""
    odd, other = await planned(on), await planned(on)
    await on.database.execute(f"UPDATE nchat_calls SET scheduled_at = '{at}' WHERE id = $1", odd)
    await on.database.execute("UPDATE nchat_calls SET scheduled_at = now() - interval '2 days' WHERE id = $1", other)
    await run_timeouts(on.world)
    ended = await on.database.fetch("SELECT end_reason::text FROM nchat_calls")
    assert [row["end_reason"] for row in ended] == ["cancelled"] * 2


async def test_without_a_time_it_waits_ten_minutes(on: Setup) -> None:
    call_id = await planned(on)
    await on.database.execute("UPDATE nchat_calls SET scheduled_at = NULL")
    on.clock.advance(599)
    await run_timeouts(on.world)
    assert (await on.call(call_id))["status"] == "initiated"
    on.clock.advance(1)
    await run_timeouts(on.world)
    assert (await on.call(call_id))["end_reason"] == "cancelled"


async def test_who_planned_it_may_take_it_back(on: Setup) -> None:
    call_id = await planned(on)
    await cancel_call(on.world, session(ALICE), call_id)
    assert (await on.call(call_id))["end_reason"] == "cancelled"


async def test_what_a_start_refuses(on: Setup) -> None:
    call_id, in_channel = await planned(on), await planned(on, GENERAL)
    foreign = await planned(on, GENERAL, by=MALLORY)
    many = [BOB] + [UUID(int=number) for number in range(on.world.limits.max_participants)]
    before = await dump(on.database)
    refused: list[tuple[UUID, UUID, list[UUID], type[ActionError]]] = [
        (BOB, in_channel, [CAROL], NotAllowed),
        (BOB, call_id, [CAROL], NotFound),
        (ALICE, call_id, [], InvalidInput),
        (ALICE, call_id, [ALICE], InvalidInput),
        (ALICE, call_id, many, InvalidInput),
        (ALICE, call_id, [MALLORY], NotFound),
        # Who planned it has left the channel.
        (MALLORY, foreign, [], NotFound),
    ]
    for who, call, targets, refusal in refused:
        with pytest.raises(refusal):
            await start_scheduled_call(on.world, session(who), call, targets)
    on.limiter.used_up.add("initiate")
    with pytest.raises(RateLimited):
        await start_scheduled_call(on.world, session(ALICE), call_id, [BOB])
    assert await dump(on.database) == before
