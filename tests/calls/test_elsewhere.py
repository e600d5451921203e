"""One person is in one call at a time: whoever enters one leaves the other, on whatever machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app.database.transactions import EngineTransactions, open_engine
from domain.calls.actions.answer import accept_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.join import join_call
from domain.calls.actions.mute import set_muted
from domain.calls.life_cycle import LIVING, CallStatus, CallStep
from domain.errors import CallFull, NotAllowed, NotFound
from domain.world import World
from permissions.session import ADMIN, Session
from tests.calls.call_states import answered, group, open_channel_call, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MOD, Setup, newcomers, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
SEATED = "SELECT call_id FROM nchat_call_participants WHERE user_id = $1 AND status IN ('connecting', 'connected', 'disconnected')"


async def seats(on: Setup, user_id: UUID) -> list[UUID]:
    return [row["call_id"] for row in await on.database.fetch(SEATED, user_id)]


async def accept(on: Setup, call_id: UUID) -> None:
    await accept_call(on.world, session(BOB), call_id)


async def join(on: Setup, call_id: UUID) -> None:
    await join_call(on.world, session(BOB), call_id)


@pytest.mark.parametrize("enter", [accept, join])
@pytest.mark.parametrize("standing", ["connecting", "connected", "disconnected"])
async def test_entering_leaves_the_other(on: Setup, enter: Callable[[Setup, UUID], Awaitable[None]], standing: str) -> None:
    first = await group(on)
    await on.database.execute("UPDATE nchat_call_participants SET status = $1 WHERE user_id = $2", standing, BOB)
    room = (await on.call(first))["room_name"]
    on.rooms.join(room, str(BOB))
    second = await ringing(on, BOB, CAROL, by=DAVE)
    await enter(on, second)
    assert await seats(on, BOB) == [second]
    assert (await on.participant(first, BOB))["leave_reason"] == "user_left"
    assert (await on.events(first))[-1].payload["reason"] == "user_left"
    assert (await on.call(first))["status"] != "ended"
    assert str(BOB) not in on.rooms.people[room]


async def test_starting_leaves_the_other_and_hands_the_host_on(on: Setup) -> None:
    first = await group(on)
    await initiate_call(on.world, session(ALICE), CallRequest("audio", [DAVE]))
    assert first not in await seats(on, ALICE)
    assert sorted([(await on.participant(first, one))["role"] for one in (ALICE, BOB, CAROL)]) == ["host", "participant", "participant"]
    assert (await on.participant(first, ALICE))["role"] == "participant"


async def test_a_direct_call_ends_when_one_goes_elsewhere(on: Setup) -> None:
    first = await answered(on)
    second = await ringing(on, BOB, DAVE, by=CAROL)
    await accept(on, second)
    ended = await on.call(first)
    assert (ended["status"], ended["end_reason"]) == ("ended", "completed")
    assert ended["room_name"] not in on.rooms.rooms
    assert ended["room_closed_at"] is not None


class Killed(BaseException):
    """The process is gone at this very point."""


async def half_started(on: Setup, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """alice's call, written and without a room: the process died in between."""

    async def die(*_arguments: object, **_options: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(on.rooms), "create_room", die)
        with pytest.raises(Killed):
            await initiate_call(on.world, session(ALICE), CallRequest("audio", [BOB]))
    call_id: UUID = await on.database.fetchval("SELECT id FROM nchat_calls WHERE status = 'initiated'")
    return call_id


async def start_another(on: Setup, _call_id: UUID) -> None:
    await initiate_call(on.world, session(ALICE), CallRequest("audio", [CAROL]))


async def end_as_admin(on: Setup, call_id: UUID) -> None:
    await end_call(on.world, Session(ADMIN, {"x-hasura-role": ADMIN, "x-hasura-user-id": str(MOD)}), call_id, "completed")


@pytest.mark.parametrize("give_up", [start_another, end_as_admin])
async def test_a_call_that_never_began_is_cancelled_and_not_completed(
    on: Setup, monkeypatch: pytest.MonkeyPatch, give_up: Callable[[Setup, UUID], Awaitable[None]]
) -> None:
    call_id = await half_started(on, monkeypatch)
    await give_up(on, call_id)
    ended = await on.call(call_id)
    assert (ended["status"], ended["end_reason"]) == ("ended", "cancelled")
    events = await on.events(call_id)
    assert_valid_history(events)
    assert events[-1].payload["reason"] == "cancelled"


@pytest.mark.parametrize("status", LIVING)
def test_only_what_has_begun_can_be_completed(status: CallStatus) -> None:
    assert CallStep(status, "ended", "completed").allowed == (status != "initiated")


async def test_who_is_refused_stays_where_they_are(on: Setup) -> None:
    await group(on)
    full, hidden = await open_channel_call(on, DAVE), uuid4()
    await on.database.execute("UPDATE nchat_calls SET max_participants = 1 WHERE id = $1", full)
    before = await dump(on.database)
    with pytest.raises(CallFull):
        await join(on, full)
    with pytest.raises(NotFound):
        await join(on, hidden)
    with pytest.raises(NotFound):
        await initiate_call(on.world, session(BOB), CallRequest("audio", channel_id=hidden))
    assert await dump(on.database) == before


async def test_a_busy_target_costs_nothing(on: Setup) -> None:
    """The call that never rang is over; the caller stays in the other."""
    first, _ = await group(on), await open_channel_call(on, DAVE)
    started = await initiate_call(on.world, session(ALICE), CallRequest("audio", [DAVE]))
    assert (await on.call(started.call_id))["end_reason"] == "busy"
    assert await seats(on, ALICE) == [first]


async def test_the_same_request_again_leaves_nothing(on: Setup) -> None:
    request = CallRequest("audio", [BOB], client_request_id=uuid4())
    started = await initiate_call(on.world, session(ALICE), request)
    elsewhere = await ringing(on, ALICE, DAVE, by=CAROL)
    await accept_call(on.world, session(ALICE), elsewhere)
    await initiate_call(on.world, session(ALICE), request)
    assert await seats(on, ALICE) == [elsewhere]
    assert (await on.call(started.call_id))["status"] == "ended"


async def test_only_ones_own_seat_is_left(on: Setup) -> None:
    first = await open_channel_call(on)
    for user_id in (BOB, CAROL):
        await join_call(on.world, session(user_id), first)
    second = await ringing(on, BOB, CAROL, by=DAVE)
    await accept(on, second)
    assert [await seats(on, one) for one in (ALICE, BOB, CAROL, DAVE)] == [[first], [second], [first], [second]]


@pytest.fixture
async def machines(on: Setup) -> AsyncIterator[Sequence[World]]:
    """Two processes' worth of connections."""
    async with AsyncExitStack() as stack:
        engines = [await stack.enter_async_context(open_engine(on.url)) for _ in range(2)]
        yield [replace(on.world, transaction=EngineTransactions(engine, on.publisher)) for engine in engines]


async def test_two_rings_accepted_at_once_on_two_machines(on: Setup, machines: Sequence[World]) -> None:
    """Whichever is last, the person is in exactly one of them, and nobody waits for the other for ever."""
    callers = await newcomers(on, 12)
    for one, other in zip(callers[::2], callers[1::2], strict=True):
        calls = [await ringing(on, BOB, CAROL, by=caller) for caller in (one, other)]
        await asyncio.gather(*(accept_call(world, session(BOB), call) for world, call in zip(machines, calls, strict=True)))
        (kept,) = await seats(on, BOB)
        assert kept in calls
        for call in calls:
            assert_valid_history(await on.events(call))


async def test_people_who_change_places_do_not_wait_for_each_other(on: Setup, machines: Sequence[World]) -> None:
    """Each locks both calls, and would meet the other's lock in the opposite order."""
    calls = [await open_channel_call(on), await open_channel_call(on, CAROL)]
    for turn in range(20):
        mine, other = calls[turn % 2], calls[1 - turn % 2]
        await asyncio.gather(join_call(machines[0], session(BOB), mine), join_call(machines[1], session(DAVE), other))
        assert (await seats(on, BOB), await seats(on, DAVE)) == ([mine], [other])


async def test_started_twice_at_once_is_in_one(on: Setup, machines: Sequence[World]) -> None:
    started = await asyncio.gather(*(initiate_call(world, session(ALICE), CallRequest("audio", channel_id=GENERAL)) for world in machines))
    assert len(await seats(on, ALICE)) == 1
    assert sorted([(await on.call(one.call_id))["status"] for one in started]) == ["connecting", "ended"]


async def test_who_left_for_another_call_is_not_in_the_first(on: Setup) -> None:
    first = await group(on)
    await accept(on, await ringing(on, BOB, CAROL, by=DAVE))
    with pytest.raises(NotAllowed):
        await set_muted(on.world, session(BOB), first, "audio", True)
