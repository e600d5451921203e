"""Waiting for a condition, the only kind of waiting that tests do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], object], *, seconds: float = 10, every: float = 0.02) -> None:
    """Returns as soon as the condition holds; AssertionError when it still doesn't after `seconds`."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"still not so after {seconds} s"
        time.sleep(every)


async def eventually(
    condition: Callable[[], Awaitable[object]],
    *,
    seconds: float = 10,
    every: float = 0.02,
    instead: Callable[[], str] = lambda: "still not so",
) -> None:
    """The same for a condition that has to be awaited; `instead` tells what is there in its place."""
    give_up = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < give_up, f"{instead()} after {seconds} s"
        await asyncio.sleep(every)


async def within(waiting: Awaitable[T], seconds: float) -> T:
    """The result; TimeoutError when it takes longer. Unlike asyncio.wait_for of Python 3.11 it never loses a cancellation."""
    async with asyncio.timeout(seconds):
        return await waiting
