"""The measure itself: a quiet service passes, a service that stands still does not."""

import signal

import pytest

from tests.hostile.attacked_service import LONGEST_SECONDS, AttackedService
from tests.support.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.alone]


async def test_nobody_attacks(attacked: AttackedService) -> None:
    async with attacked.good_neighbour():
        pass


async def test_a_service_that_stands_still_is_noticed(attacked: AttackedService) -> None:
    with pytest.raises(AssertionError, match="longest"):
        async with attacked.good_neighbour():
            attacked.process.send_signal(signal.SIGSTOP)
            _wait(LONGEST_SECONDS + 0.5)
            attacked.process.send_signal(signal.SIGCONT)


def _wait(seconds: float) -> None:
    import time

    ends = time.monotonic() + seconds
    until(lambda: time.monotonic() > ends)
