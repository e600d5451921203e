"""How many answers a statement gives, by what the plan's last ones took."""

import pytest

from app.database.shares.pace import BYTES, FIRST, LARGEST, LONG_REST, SECONDS, SHORT_REST, Pace

LONG_ENOUGH = 50


@pytest.fixture
def pace() -> Pace:
    return Pace()


def learned(pace: Pace, *, seconds: float = 0.0, size: int = 0, now: float = 0.0) -> int:
    """After many statements whose every answer took that, or as many as there are before it rests."""
    for _ in range(LONG_ENOUGH):
        if answers := pace.most(now):
            pace.learn(answers, answers * seconds, answers * size, now)
    return pace.most(now)


def test_the_first_one_is_small(pace: Pace) -> None:
    assert (pace.most(0.0), pace.is_known) == (FIRST, False)


@pytest.mark.parametrize(
    ("seconds", "size", "most"),
    [
        (0.0, 0, LARGEST),
        (SECONDS / 100, 10, LARGEST),
        (SECONDS / 5.5, 10, 5),
        (0.0, int(BYTES / 3.5), 3),
        (SECONDS / 8.5, int(BYTES / 4.5), 4),
    ],
)
def test_as_many_as_take_a_moment_and_hold_so_much(pace: Pace, seconds: float, size: int, most: int) -> None:
    assert learned(pace, seconds=seconds, size=size) == most
    assert pace.is_known


def test_what_takes_long_by_itself_rests_longer_each_time(pace: Pace) -> None:
    now, rests = 0.0, list[float]()
    while not rests or rests[-1] < LONG_REST:
        pace.learn(FIRST, FIRST * SECONDS, 0, now)
        assert pace.most(now) == 0
        rests.append(min(2 * rests[-1], LONG_REST) if rests else SHORT_REST)
        assert pace.most(now + rests[-1] - 0.001) == 0
        now += rests[-1]
        assert (pace.most(now), pace.is_known) == (FIRST, False)
    pace.learn(FIRST, 0.0, 0, now)
    pace.stop(now)
    assert pace.most(now + SHORT_REST) == FIRST, "what was quick again rests as at first"


def test_one_that_was_held_up_is_no_slow_plan(pace: Pace) -> None:
    before = learned(pace, seconds=SECONDS / 8.5)
    pace.learn(before, 1.0, 0, 0.0)
    assert before > pace.most(0.0) >= before // 2
    assert learned(pace, seconds=SECONDS / 8.5) == before
