"""What people do in a call, step by step."""

from functools import partial

from tests.support.waiting import eventually
from tests.trials.crashes.crash import Step
from tests.trials.trial_call import TrialCall


async def act(who: str, name: str, on: TrialCall, /, **fields: object) -> None:
    await on.act(getattr(on, who), name, **fields)


def request(who: str, name: str, **fields: object) -> Step:
    return partial(act, who, name, **fields)


async def ring(on: TrialCall) -> None:
    await on.ring()


async def ring_and_be_heard(on: TrialCall) -> None:
    """No webhook is on its way any more."""
    await on.ring()
    await eventually(on.start_is_heard)


async def ring_both(on: TrialCall) -> None:
    await on.ring(on.bob, on.carol)


async def accept(on: TrialCall) -> None:
    await on.act(on.bob, "acceptCall")


async def talk(on: TrialCall) -> None:
    await on.talk()


async def talk_alone(on: TrialCall) -> None:
    await on.talk(on.bob)


async def kick(on: TrialCall) -> None:
    await on.act(on.alice, "kickParticipant", participantId=await on.participant(on.carol))


async def invite(on: TrialCall) -> None:
    await on.act(on.alice, "inviteToCall", userIds=[str(on.carol)])


async def enter_bob(on: TrialCall) -> None:
    on.enter(on.bob, "microphone", "camera")


async def carol_comes_back(on: TrialCall) -> None:
    """With her old token, when nobody watches for her any more."""
    await on.long_ago("nchat_call_participants", "status_since")
    on.enter(on.carol)


async def bob_is_lost(on: TrialCall) -> None:
    on.lose(on.bob)
    await eventually(partial(on.stands, on.bob, "disconnected"))


async def seats_age(on: TrialCall) -> None:
    await on.long_ago("nchat_call_participants", "status_since")


async def calls_age(on: TrialCall, column: str, hours: int = 1) -> None:
    await on.long_ago("nchat_calls", column, hours=hours)


async def calls_age_an_hour(on: TrialCall) -> None:
    await calls_age(on, "status_since")
