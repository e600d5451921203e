"""A recorder whose clock goes wrong: its media is put on the service's clock as far as that is certain, and an operator is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.recordings.recorder.growth import Growth, on_our_clock
from domain.recordings.recorder.watching import watch
from domain.world import World
from tests.recordings.recorded_call import RecordedCall

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """So long from the moment at which the first two segments, of 4 s, are seen."""
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("began", "ours"),
    [(-9, -9), (-8, -8), (-7.2, -7.2), (-6, -8), (3600, -8), (-20, -20), (-20.9, -20.9), (-25, -20), (-3600, -20)],
)
async def test_media_was_recorded_after_it_was_asked_for_and_before_it_is_seen(began: float, ours: float) -> None:
    """It was asked for 20 s ago; a second is nobody's fault."""
    assert on_our_clock(Growth(2, at(began), 8.0), at(-20), NOW) == at(ours)


async def test_what_can_t_be_known_stays() -> None:
    assert on_our_clock(Growth(2, None), at(-20), NOW) is None
    assert on_our_clock(Growth(2, at(-99), 8.0), None, NOW) == at(-99)
    # More media than time: nothing is before it was asked for.
    assert on_our_clock(Growth(9, at(-30), 36.0), at(-20), NOW) == at(-20)


@pytest.mark.parametrize(("wrong", "skew"), [(0, 0.0), (30, 30.0), (-600, 560.0)])
async def test_a_part_and_what_follows_it_are_on_our_clock(call: RecordedCall, wrong: int, skew: float) -> None:
    """A recorder that is behind is certain to be so as far as it was asked later than it says."""
    figures: dict[str, float] = {}
    world: World = replace(call.on.world, figure=figures.__setitem__)
    await call.start()
    call.on.clock.advance(40)
    began_at = call.on.clock.now()
    call.on.recorder.become("EG_1", "active")
    await call.tell("EG_1")
    prefix = call.on.recorder.wanted["EG_1"].path_prefix
    call.on.store.hold(prefix, 1, began_at + timedelta(seconds=wrong))
    call.on.clock.advance(4)
    await watch(world)
    assert figures == {"recorder_skew": pytest.approx(skew, abs=0.01)}
    (part,) = await call.parts()
    ours = part["media_started_at"]
    assert abs((ours - began_at).total_seconds() - (0 if wrong >= 0 else skew + wrong)) < 0.01
    await call.complete("EG_1", segments=1)
    part = (await call.parts())[0]
    assert (part["media_started_at"], (part["ended_at"] - ours).total_seconds()) == (ours, pytest.approx(4, abs=0.01))
