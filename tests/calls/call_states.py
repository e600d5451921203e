"""Calls in the states that tests start from."""

from uuid import UUID

from domain.calls.actions.answer import accept_call
from domain.calls.actions.initiate import CallRequest, initiate_call
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, Setup, session


async def ringing(on: Setup, *targets: UUID, by: UUID = ALICE) -> UUID:
    """Alice rings Bob, or whom one names."""
    return (await initiate_call(on.world, session(by), CallRequest("video", targets or (BOB,)))).call_id


async def answered(on: Setup) -> UUID:
    """A direct call that Bob has accepted: both connecting."""
    call_id = await ringing(on)
    await accept_call(on.world, session(BOB), call_id)
    return call_id


async def group(on: Setup) -> UUID:
    """Alice, Bob and Carol are in a call without a channel."""
    call_id = await ringing(on, BOB, CAROL)
    for user in (BOB, CAROL):
        await accept_call(on.world, session(user), call_id)
    return call_id


async def open_channel_call(on: Setup, by: UUID = ALICE) -> UUID:
    """Alice, or another, waits in a call of the channel general that rang nobody."""
    return (await initiate_call(on.world, session(by), CallRequest("video", channel_id=GENERAL))).call_id


async def participant_id(on: Setup, call_id: UUID, user_id: UUID) -> UUID:
    row = await on.participant(call_id, user_id)
    found: UUID = row["id"]
    return found
