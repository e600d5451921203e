"""How long a recording is kept: the policy that is nearest to it says so."""

from dataclasses import replace
from datetime import datetime

import pytest

from domain.calls.actions.end import end_call
from domain.recordings.actions.start import TIER, start_recording
from domain.recordings.retention.default_policy import has_default_policy
from domain.recordings.starting import Manner
from tests.recordings.recorded_call import RecordedCall
from tests.support.domain_setup import ALICE, BOB, GENERAL, session

pytestmark = pytest.mark.anyio
ADD = "INSERT INTO nchat_retention_policies (name, retention_days, apply_to, target_id) VALUES ('own', $1, $2, $3)"


async def kept_for(call: RecordedCall, tier: str | None = None) -> int | None:
    """Days that a recording is kept which alice, whose token names this tier, has just made."""
    who = session(ALICE)
    who = who if tier is None else replace(who, variables={**who.variables, TIER: tier})
    await start_recording(call.on.world, who, call.id, Manner())
    await call.turn()
    await call.active()
    await end_call(call.on.world, session(ALICE), call.id)
    await call.turn()
    await call.complete(call.on.recorder.last)
    row = await call.recording()
    assert row["status"] == "ready"
    expires_at: datetime | None = row["expires_at"]
    return None if expires_at is None else (expires_at - row["ended_at"]).days


@pytest.mark.parametrize(
    ("tier", "own", "days"),
    [
        (None, [], 30),
        ("free", [], 7),
        ("enterprise", [], 365),
        ("of nobody", [], 30),
        ("enterprise", [(3, "channel", GENERAL)], 3),
        ("enterprise", [(3, "channel", GENERAL), (2, "user", ALICE)], 2),
        (None, [(2, "user", BOB), (3, "channel", BOB)], 30),
    ],
)
async def test_the_nearest_policy_holds(call: RecordedCall, tier: str | None, own: list[tuple[int, str, object]], days: int) -> None:
    for policy in own:
        await call.on.database.execute(ADD, *policy)
    assert await kept_for(call, tier) == days


async def test_without_a_policy_it_stays(call: RecordedCall) -> None:
    await call.on.database.execute("DELETE FROM nchat_retention_policies")
    assert await kept_for(call) is None


@pytest.mark.parametrize("days", [3_000_000, 2**31 - 1])
async def test_a_time_beyond_any_calendar_is_for_ever(call: RecordedCall, days: int) -> None:
    await call.on.database.execute(ADD, days, "user", ALICE)
    assert await kept_for(call) is None


async def test_a_default_that_is_a_slip_of_the_pen_is_noticed(call: RecordedCall) -> None:
    world = call.on.world
    assert await has_default_policy(world)
    assert not await has_default_policy(replace(world, limits=replace(world.limits, default_policy="pr0")))
    await call.on.database.execute("UPDATE nchat_retention_policies SET apply_to = 'user', target_id = $1 WHERE name = 'pro'", ALICE)
    assert not await has_default_policy(world)
