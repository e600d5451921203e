"""What every call action refuses alike: strangers, the removed, ended calls; nothing changes, nobody learns anything."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from domain.calls.actions.answer import accept_call, cancel_call, decline_call
from domain.calls.actions.end import end_call
from domain.calls.actions.invite import invite_to_call
from domain.calls.actions.join import join_call, refresh_call_token
from domain.calls.actions.kick import kick_participant, readmit_participant
from domain.calls.actions.leave import leave_call
from domain.calls.actions.lobby import admit_to_call, deny_from_lobby
from domain.calls.actions.mute import ask_to_unmute, mute_all, mute_participant, set_muted
from domain.calls.actions.own_state import lower_hand, raise_hand, report_connection_quality
from domain.calls.actions.role import set_participant_role
from domain.calls.actions.scheduled import start_scheduled_call
from domain.calls.actions.screen_share import start_screen_share, stop_screen_share
from domain.errors import ActionError, CallEnded, NotFound, ParticipantKicked
from domain.world import World
from permissions.errors import GraphQLRefusal
from permissions.session import Session
from tests.calls.call_states import group, participant_id
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, MALLORY, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio

Action = Callable[[World, Session, UUID, UUID], Awaitable[object]]
ACTIONS: dict[str, Action] = {
    "accept_call": lambda world, who, call, _: accept_call(world, who, call),
    "decline_call": lambda world, who, call, _: decline_call(world, who, call),
    "cancel_call": lambda world, who, call, _: cancel_call(world, who, call),
    "join_call": lambda world, who, call, _: join_call(world, who, call),
    "refresh_call_token": lambda world, who, call, _: refresh_call_token(world, who, call),
    "leave_call": lambda world, who, call, _: leave_call(world, who, call),
    "end_call": lambda world, who, call, _: end_call(world, who, call),
    "set_muted": lambda world, who, call, _: set_muted(world, who, call, "audio", True),
    "mute_participant": lambda world, who, call, other: mute_participant(world, who, call, other, "audio"),
    "kick_participant": lambda world, who, call, other: kick_participant(world, who, call, other),
    "readmit_participant": lambda world, who, call, other: readmit_participant(world, who, call, other),
    "invite_to_call": lambda world, who, call, _: invite_to_call(world, who, call, [CAROL]),
    "mute_all": lambda world, who, call, other: mute_all(world, who, call, [other]),
    "ask_to_unmute": lambda world, who, call, other: ask_to_unmute(world, who, call, other),
    "set_participant_role": lambda world, who, call, other: set_participant_role(world, who, call, other, "co_host"),
    "admit_to_call": lambda world, who, call, other: admit_to_call(world, who, call, other),
    "deny_from_lobby": lambda world, who, call, other: deny_from_lobby(world, who, call, other),
    "start_scheduled_call": lambda world, who, call, _: start_scheduled_call(world, who, call, [DAVE]),
    "raise_hand": lambda world, who, call, _: raise_hand(world, who, call),
    "lower_hand": lambda world, who, call, _: lower_hand(world, who, call),
    "report_connection_quality": lambda world, who, call, _: report_connection_quality(world, who, call, "poor", {}),
    "start_screen_share": lambda world, who, call, _: start_screen_share(world, who, call),
    "stop_screen_share": lambda world, who, call, _: stop_screen_share(world, who, call),
}


async def refused(on: Setup, action: Action, who: Session, call_id: UUID, other: UUID) -> ActionError:
    """The refusal, after a look that no row changed, nobody was told and LiveKit was asked nothing."""
    on.rooms.asked.clear()
    on.publisher.topics()
    before = await dump(on.database)
    with pytest.raises(ActionError) as refusal:
        await action(on.world, who, call_id, other)
    assert await dump(on.database) == before
    assert on.publisher.topics() == set()
    assert on.rooms.asked == {}
    return refusal.value


@pytest.mark.parametrize("name", ACTIONS)
async def test_a_hidden_call_looks_like_no_call(on: Setup, name: str) -> None:
    call_id = await group(on)
    other = await participant_id(on, call_id, BOB)
    hidden = await refused(on, ACTIONS[name], session(MALLORY), call_id, other)
    absent = await refused(on, ACTIONS[name], session(MALLORY), uuid4(), uuid4())
    unknown_role = await refused(on, ACTIONS[name], session(ALICE, "guest"), call_id, other)
    for refusal in (hidden, absent, unknown_role):
        assert isinstance(refusal, NotFound)
        assert (refusal.sentence, refusal.extra) == (absent.sentence, {})


@pytest.mark.parametrize("ended", [False, True], ids=["in a running call", "in an ended call"])
@pytest.mark.parametrize("name", ACTIONS)
async def test_who_was_removed_hears_so_whatever_they_try(on: Setup, name: str, ended: bool) -> None:
    call_id = await group(on)
    bob, carol = await participant_id(on, call_id, BOB), await participant_id(on, call_id, CAROL)
    await kick_participant(on.world, session(ALICE), call_id, bob)
    if ended:
        await end_call(on.world, session(ALICE), call_id)
    assert isinstance(await refused(on, ACTIONS[name], session(BOB), call_id, carol), ParticipantKicked)


@pytest.mark.parametrize("name", ACTIONS)
async def test_an_ended_call_takes_no_more_actions(on: Setup, name: str) -> None:
    call_id = await group(on)
    await end_call(on.world, session(ALICE), call_id)
    other = await participant_id(on, call_id, BOB)
    assert isinstance(await refused(on, ACTIONS[name], session(ALICE), call_id, other), CallEnded)


@pytest.mark.parametrize("name", ACTIONS)
async def test_nobody_acts_without_being_someone(on: Setup, name: str) -> None:
    call_id = await group(on)
    before = await dump(on.database)
    for role in ("user", "admin"):
        with pytest.raises(GraphQLRefusal) as refusal:
            await ACTIONS[name](on.world, Session(role), call_id, uuid4())
        assert refusal.value.message == 'missing session variable: "x-hasura-user-id"'
    assert await dump(on.database) == before
