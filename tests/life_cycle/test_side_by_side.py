"""Work side by side: what fails is kept and told, and what never began is ended with the rest."""

import asyncio
from inspect import CORO_CLOSED, getcoroutinestate

import pytest

from domain.side_by_side import AT_ONCE, Failures

pytestmark = pytest.mark.anyio


def quietly(_what: str, _error: str) -> None:
    """Failures that are told another way."""


async def test_given_up_while_some_wait_for_a_place_all_are_ended() -> None:
    """A process that is told to stop in the middle of a round: the rest of it never begins, and leaves no warning behind."""
    begun, places = 0, asyncio.Event()

    async def takes_for_ever() -> None:
        nonlocal begun
        begun += 1
        if begun == AT_ONCE:
            places.set()
        await asyncio.Event().wait()

    work = {str(n): takes_for_ever() for n in range(AT_ONCE + 2)}
    round_of_work = asyncio.create_task(Failures(quietly).side_by_side(work))
    await places.wait()
    round_of_work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await round_of_work
    assert begun == AT_ONCE
    assert {getcoroutinestate(item) for item in work.values()} == {CORO_CLOSED}


async def test_one_that_fails_holds_up_no_other_and_is_told_at_the_end() -> None:
    told: list[tuple[str, str]] = []

    async def fails() -> int:
        raise ValueError("a value nobody may read in a log")

    async def does_not() -> int:
        return 1

    failures = Failures(lambda what, error: told.append((what, error)))
    assert await failures.side_by_side({"first": fails(), "second": does_not()}) == [None, 1]
    assert told == [("first", "ValueError")]
    with pytest.raises(ExceptionGroup, match="1 parts of a round failed"):
        failures.tell()
