"""Pauses grow, and end growing."""

import pytest

from app.pauses import pause_after


@pytest.mark.parametrize("failures", [0, 1, 5, 20, 1_023, 1_024, 100_000])
def test_however_often_it_failed_the_next_try_comes_soon(failures: int) -> None:
    assert 0 <= pause_after(failures) <= 2
