"""The lobby: who joins waits without a token until a host decides."""

import asyncio
from uuid import UUID

import pytest

from domain.admission import Entrance, admitted
from domain.calls.actions.answer import accept_call
from domain.calls.actions.end import end_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from domain.calls.actions.invite import invite_to_call
from domain.calls.actions.join import JoinResult, join_call, refresh_call_token
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.lobby import admit_to_call, deny_from_lobby
from domain.calls.actions.role import set_participant_role
from domain.errors import InvalidInput, NotAllowed, NotFound
from tests.calls.call_states import open_channel_call, participant_id, ringing
from tests.support.call_history import assert_valid_history
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio


async def lobby_call(on: Setup, *targets: UUID) -> UUID:
    """Alice hosts a call of the channel whose lobby is open."""
    request = CallRequest("video", targets, channel_id=GENERAL, lobby=True)
    return (await initiate_call(on.world, session(ALICE), request)).call_id


async def join(on: Setup, call_id: UUID, who: UUID) -> JoinResult:
    return await join_call(on.world, session(who), call_id)


async def decide(on: Setup, call_id: UUID, who: UUID, *, admit: bool, by: UUID = ALICE) -> None:
    act = admit_to_call if admit else deny_from_lobby
    await act(on.world, session(by), call_id, await participant_id(on, call_id, who))


async def standing(on: Setup, call_id: UUID, who: UUID) -> tuple[str, bool, str | None]:
    row = await on.participant(call_id, who)
    return row["status"], row["lobby_waiting_since"] is not None, row["leave_reason"]


async def at_the_door(on: Setup, call_id: UUID, who: UUID) -> bool:
    asking = Entrance((await on.call(call_id))["room_name"], str(who))
    async with on.world.transaction("test.door") as tx:
        return asking in await admitted(tx, [asking])


async def test_who_joins_waits_without_a_token(on: Setup) -> None:
    call_id = await lobby_call(on)
    assert (await on.call(call_id))["lobby"]
    signed = on.tokens.count
    first = await join(on, call_id, BOB)
    assert (first.ticket, first.participant_id) == (None, await participant_id(on, call_id, BOB))
    since = (await on.participant(call_id, BOB))["lobby_waiting_since"]
    on.clock.advance(5)
    assert (await join(on, call_id, BOB)).ticket is None
    assert (await on.participant(call_id, BOB))["lobby_waiting_since"] == since
    assert await standing(on, call_id, BOB) == ("invited", True, None)
    assert (await on.kinds(call_id)).count("lobby_waiting") == 1
    assert on.tokens.count == signed
    with pytest.raises(NotAllowed):
        await refresh_call_token(on.world, session(BOB), call_id)
    assert on.tokens.count == signed
    assert not await at_the_door(on, call_id, BOB)


async def test_who_is_admitted_gets_the_token_with_the_next_join(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    for _ in range(2):
        await decide(on, call_id, BOB, admit=True)
    assert await standing(on, call_id, BOB) == ("invited", False, None)
    assert not await at_the_door(on, call_id, BOB)
    assert (await join(on, call_id, BOB)).ticket is not None
    assert await standing(on, call_id, BOB) == ("connecting", False, None)
    assert await at_the_door(on, call_id, BOB)
    me = {"participantId": str(await participant_id(on, call_id, BOB))}
    told = [(event.kind, event.actor_id, event.payload) for event in await on.events(call_id)][-3:]
    assert told == [("lobby_waiting", str(BOB), me), ("lobby_admitted", str(ALICE), me), ("call_accept", str(BOB), me)]


async def test_who_is_denied_is_out_and_may_ask_again(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    for _ in range(2):
        await decide(on, call_id, BOB, admit=False)
    assert await standing(on, call_id, BOB) == ("left", False, "denied")
    assert (await join(on, call_id, BOB)).ticket is None
    assert await standing(on, call_id, BOB) == ("invited", True, None)
    kinds = await on.kinds(call_id)
    assert kinds[-3:] == ["lobby_waiting", "lobby_denied", "lobby_waiting"]
    assert_valid_history(await on.events(call_id))


async def test_whom_a_host_rang_comes_straight_in(on: Setup) -> None:
    call_id = await lobby_call(on, BOB, CAROL)
    await accept_call(on.world, session(BOB), call_id)
    assert (await join(on, call_id, CAROL)).ticket is not None
    assert (await join(on, call_id, DAVE)).ticket is None
    await invite_to_call(on.world, session(ALICE), call_id, [DAVE])
    assert await standing(on, call_id, DAVE) == ("ringing", False, None)
    await accept_call(on.world, session(DAVE), call_id)
    assert "lobby_admitted" not in await on.kinds(call_id)


async def test_who_was_connected_comes_back_without_asking(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    await decide(on, call_id, BOB, admit=True)
    await join(on, call_id, BOB)
    await leave_call(on.world, session(BOB), call_id)
    assert (await join(on, call_id, BOB)).ticket is None
    await on.database.execute("UPDATE nchat_call_participants SET joined_at = now() WHERE user_id = $1", BOB)
    assert (await join(on, call_id, BOB)).ticket is not None


async def test_a_readmitted_participant_was_let_in(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    bob = await participant_id(on, call_id, BOB)
    await kick_participant(on.world, session(ALICE), call_id, bob)
    assert await standing(on, call_id, BOB) == ("kicked", False, "kicked")
    await readmit_participant(on.world, session(ALICE), call_id, bob)
    assert (await join(on, call_id, BOB)).ticket is not None


async def test_a_co_host_waits_for_nobody_and_lets_others_in(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    await set_participant_role(on.world, session(ALICE), call_id, await participant_id(on, call_id, BOB), "co_host")
    assert (await join(on, call_id, BOB)).ticket is not None
    await join(on, call_id, CAROL)
    await decide(on, call_id, CAROL, admit=True, by=BOB)
    assert (await join(on, call_id, CAROL)).ticket is not None


async def test_waiting_holds_no_seat_and_leaves_no_other_call(on: Setup) -> None:
    elsewhere = await open_channel_call(on, by=BOB)
    call_id = await lobby_call(on)
    await on.database.execute("UPDATE nchat_calls SET max_participants = 1 WHERE id = $1", call_id)
    await join(on, call_id, BOB)
    assert (await on.participant(elsewhere, BOB))["status"] == "connecting"
    await on.database.execute("UPDATE nchat_calls SET max_participants = 9 WHERE id = $1", call_id)
    await decide(on, call_id, BOB, admit=True)
    await join(on, call_id, BOB)
    assert (await on.participant(elsewhere, BOB))["status"] == "left"


async def test_who_gives_up_no_longer_waits(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    on.rooms.asked.clear()
    for _ in range(2):
        await leave_call(on.world, session(BOB), call_id)
    assert await standing(on, call_id, BOB) == ("left", False, "user_left")
    assert (await on.kinds(call_id)).count("call_participant_left") == 1
    assert (await on.call(call_id))["status"] == "connecting"


async def test_nobody_waits_for_a_call_that_is_over(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    await end_call(on.world, session(ALICE), call_id)
    assert await standing(on, call_id, BOB) == ("left", False, "cancelled")


async def test_of_two_hosts_who_decide_at_once_one_decides(on: Setup) -> None:
    call_id = await lobby_call(on)
    await join(on, call_id, BOB)
    bob = await participant_id(on, call_id, BOB)
    deciding = [act(on.world, session(ALICE), call_id, bob) for act in (admit_to_call, deny_from_lobby) for _ in range(3)]
    done = await asyncio.gather(*deciding, return_exceptions=True)
    assert {type(one) for one in done if isinstance(one, BaseException)} == {InvalidInput}
    kinds = await on.kinds(call_id)
    assert kinds.count("lobby_admitted") + kinds.count("lobby_denied") == 1
    status, waiting, _ = await standing(on, call_id, BOB)
    assert (status, waiting) == ("invited" if "lobby_admitted" in kinds else "left", False)


async def test_who_asks_twice_at_once_waits_once(on: Setup) -> None:
    call_id = await lobby_call(on)
    done = await asyncio.gather(*(join(on, call_id, BOB) for _ in range(6)))
    assert {one.ticket for one in done} == {None}
    assert (await on.kinds(call_id)).count("lobby_waiting") == 1


async def test_who_may_not_decide(on: Setup) -> None:
    call_id, elsewhere = await lobby_call(on), await ringing(on, BOB, by=DAVE)
    for who in (CAROL, DAVE):
        await join(on, call_id, who)
    await decide(on, call_id, CAROL, admit=True)
    await join(on, call_id, CAROL)
    carol, dave = await participant_id(on, call_id, CAROL), await participant_id(on, call_id, DAVE)
    stranger = await participant_id(on, elsewhere, BOB)
    before = await dump(on.database)
    for act in (admit_to_call, deny_from_lobby):
        # A participant; one who waits, for oneself; one who only sees the call; one who does not.
        for who in (CAROL, DAVE, BOB):
            with pytest.raises(NotAllowed):
                await act(on.world, session(who), call_id, dave)
        with pytest.raises(NotFound):
            await act(on.world, session(MALLORY), call_id, dave)
        with pytest.raises(NotFound):
            await act(on.world, session(ALICE), call_id, stranger)
    with pytest.raises(InvalidInput):
        await deny_from_lobby(on.world, session(ALICE), call_id, carol)
    assert await dump(on.database) == before
