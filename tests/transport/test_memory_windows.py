"""Windows in memory: never more than the limit in any stretch of its length, and nothing kept of who is gone."""

import random

from app.adapters.memory_windows import SWEEP_EVERY, MemoryWindows


class Clock:
    """Stands still until the test moves it."""

    time = 0.0

    def __call__(self) -> float:
        return self.time


def test_any_stretch_holds_no_more() -> None:
    clock, rng = Clock(), random.Random(1)  # noqa: S311
    windows, taken = MemoryWindows(clock), list[float]()
    for _ in range(2000):
        clock.time += rng.random()
        times = rng.choice((1, 1, 1, 3))
        wait = windows.hit("initiate", "alice", times=times, most=5, seconds=10)
        within = [one for one in taken if one > clock.time - 10]
        assert (wait is None) == (len(within) + times <= 5)
        taken += [clock.time] * times if wait is None else []


def test_after_the_wait_there_is_room() -> None:
    clock = Clock()
    windows = MemoryWindows(clock)
    for _ in range(3):
        assert windows.hit("a", "b", times=1, most=3, seconds=10) is None
        clock.time += 1
    wait = windows.hit("a", "b", times=2, most=3, seconds=10)
    assert wait == 8
    clock.time += wait
    assert windows.hit("a", "b", times=2, most=3, seconds=10) is None


def test_keys_and_limits_are_apart() -> None:
    windows = MemoryWindows(Clock())
    hits = [windows.hit(limit, key, times=1, most=1, seconds=1) for limit in "ab" for key in "xy"]
    assert hits == [None] * 4


def test_who_is_gone_is_forgotten() -> None:
    clock = Clock()
    windows = MemoryWindows(clock)
    for number in range(10 * SWEEP_EVERY):
        clock.time += 0.01
        windows.hit("initiate", str(number), times=1, most=10, seconds=1)
    assert len(windows._hits) <= SWEEP_EVERY + 100
