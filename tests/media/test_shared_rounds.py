"""Many ask the same at once: each gets an answer from after they asked, and few questions are asked."""

import asyncio
from collections.abc import Awaitable

import pytest

from app.media.shared_rounds import SharedRounds

pytestmark = pytest.mark.anyio


class Slow:
    """Answers with its number as it was when it was asked, once the test lets it."""

    def __init__(self) -> None:
        self.number, self.asked, self.gate = 0, 0, asyncio.Event()

    async def look(self) -> int:
        self.asked += 1
        seen = self.number
        await self.gate.wait()
        return seen


async def begun(what: Awaitable[int]) -> "asyncio.Task[int]":
    """The task, as far as it comes by itself."""
    task = asyncio.ensure_future(what)
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_who_comes_later_is_not_told_what_was_before() -> None:
    rounds, source = SharedRounds[str, int](), Slow()
    first = await begun(rounds.ask("a", source.look))
    source.number = 1
    late = [await begun(rounds.ask("a", source.look)) for _ in range(100)]
    assert source.asked == 1
    source.gate.set()
    assert await first == 0
    assert await asyncio.gather(*late) == [1] * 100
    assert source.asked == 2
    assert await rounds.ask("a", source.look) == 1 and source.asked == 3


async def test_others_do_not_wait() -> None:
    rounds, stuck, other = SharedRounds[str, int](), Slow(), Slow()
    waiting = await begun(rounds.ask("a", stuck.look))
    other.gate.set()
    assert await rounds.ask("b", other.look) == 0
    assert not waiting.done()
    stuck.gate.set()
    assert await waiting == 0


async def test_a_failure_is_told_to_those_who_waited_and_to_nobody_else() -> None:
    rounds, source = SharedRounds[str, int](), Slow()

    async def fail() -> int:
        await source.gate.wait()
        raise LookupError

    first = await begun(rounds.ask("a", fail))
    late = [await begun(rounds.ask("a", source.look)) for _ in range(3)]
    source.gate.set()
    assert isinstance((await asyncio.gather(first, return_exceptions=True))[0], LookupError)
    assert await asyncio.gather(*late) == [0, 0, 0]


async def test_who_gives_up_takes_nobody_along() -> None:
    rounds, source = SharedRounds[str, int](), Slow()
    first = await begun(rounds.ask("a", source.look))
    late = [await begun(rounds.ask("a", source.look)) for _ in range(2)]
    first.cancel()
    late[0].cancel()
    source.gate.set()
    assert await late[1] == 0
    assert source.asked == 2
