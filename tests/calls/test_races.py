"""Requests that meet at one call: exactly one order wins, and the history walks the life cycle whichever it is."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from domain.calls.actions.answer import accept_call, cancel_call, decline_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.kick import kick_participant
from domain.calls.actions.leave import leave_call
from domain.errors import ActionError
from tests.calls.call_states import group, open_channel_call, participant_id, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, Setup, newcomers, session

pytestmark = pytest.mark.anyio

CALLS = 24


async def outcome(action: Awaitable[object]) -> bool:
    """Whether the action was done; a refusal is an outcome too, anything else is a fault."""
    try:
        await action
    except ActionError:
        return False
    return True


def rivals(on: Setup, call_id: UUID, caller: UUID, callee: UUID) -> dict[str, Callable[[], Awaitable[object]]]:
    return {
        "accept": lambda: accept_call(on.world, session(callee), call_id),
        "decline": lambda: decline_call(on.world, session(callee), call_id),
        "cancel": lambda: cancel_call(on.world, session(caller), call_id),
        "end": lambda: end_call(on.world, session(caller), call_id),
    }


async def test_accept_decline_cancel_and_end_at_once(on: Setup) -> None:
    crowd = await newcomers(on, 2 * CALLS)
    calls = [(await ringing(on, callee, CAROL, by=caller), caller, callee) for caller, callee in zip(crowd[::2], crowd[1::2], strict=True)]
    first: Counter[str] = Counter()
    # One connection looks at all of them.
    lock = asyncio.Lock()

    async def race(number: int, call_id: UUID, caller: UUID, callee: UUID) -> None:
        entrants = list(rivals(on, call_id, caller, callee).items())
        entrants = entrants[number % 4 :] + entrants[: number % 4]
        done = dict(zip([name for name, _ in entrants], await asyncio.gather(*(outcome(start()) for _, start in entrants)), strict=True))
        async with lock:
            history = await on.events(call_id)
            assert_valid_history(history)
            assert (await on.call(call_id))["status"] == "ended"
            assert not (done["accept"] and done["decline"])
            assert not (done["cancel"] and done["end"])
            first[history[4].kind] += 1

    await asyncio.gather(*(race(number, *call) for number, call in enumerate(calls)))
    assert sum(first.values()) == CALLS
    assert len(first) >= 2


async def test_the_last_place_is_taken_once(on: Setup) -> None:
    call_id = await open_channel_call(on)
    await on.database.execute("UPDATE nchat_calls SET max_participants = 2")
    done = await asyncio.gather(*(outcome(join_call(on.world, session(user), call_id)) for user in (BOB, CAROL, DAVE)))
    assert done.count(True) == 1
    assert await on.database.fetchval("SELECT count(*) FROM nchat_call_participants WHERE status = 'connecting'") == 2


async def test_two_devices_accept_once(on: Setup) -> None:
    call_id = await ringing(on)
    done = await asyncio.gather(*(outcome(accept_call(on.world, session(BOB), call_id)) for _ in range(4)))
    assert done.count(True) == 1
    assert (await on.kinds(call_id)).count("call_accept") == 1


async def test_the_same_request_many_times_at_once_is_one_call(on: Setup) -> None:
    request = CallRequest("audio", [BOB], client_request_id=uuid4())
    started = await asyncio.gather(*(initiate_call(on.world, session(ALICE), request) for _ in range(6)))
    assert len({one.call_id for one in started}) == 1
    assert all(one.ticket for one in started)
    assert await on.kinds(started[0].call_id) == ["call_initiate", "call_incoming", "call_state_changed"]
    assert await on.pushes() == [("ring", BOB)]


async def test_everybody_leaves_at_once(on: Setup) -> None:
    call_id = await group(on)
    await asyncio.gather(*(leave_call(on.world, session(user), call_id) for user in (ALICE, BOB, CAROL)))
    assert_valid_history(await on.events(call_id))
    assert (await on.call(call_id))["end_reason"] == "completed"


async def test_a_kick_meets_a_join(on: Setup) -> None:
    call_id = await group(on)
    bob = await participant_id(on, call_id, BOB)
    await asyncio.gather(
        kick_participant(on.world, session(ALICE), call_id, bob), *(outcome(join_call(on.world, session(BOB), call_id)) for _ in range(3))
    )
    assert (await on.participant(call_id, BOB))["status"] == "kicked"
    assert_valid_history(await on.events(call_id))
