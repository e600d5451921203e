"""Fifty ringing calls, two processes, two hundred actions in flight: every order may win, no history is illegal."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from itertools import cycle, permutations
from uuid import UUID

import pytest

from tests.calls.scenes import ringing
from tests.support.legal import assert_legal
from tests.support.worlds import Stage

pytestmark = pytest.mark.anyio

CALLS = 50
WINNERS = {"call_accept", "call_decline", "call_cancelled", "call_state_changed"}


async def start(url: str, entries: list[tuple[str, UUID]]) -> Process:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.calls.racer", url, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    process.stdin.write("".join(f"{action} {call_id}\n" for action, call_id in entries).encode() + b"\n")
    await process.stdin.drain()
    return process


async def said(process: Process, word: bytes) -> None:
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == word


async def test_each_call_has_one_winner(on: Stage) -> None:
    calls = [await ringing(on) for _ in range(CALLS)]
    orders = cycle(permutations(("accept", "decline", "cancel", "end")))
    laps = [[(action, call_id) for action in order] for call_id, order in zip(calls, orders, strict=False)]
    # One process begins at the first call, the other at the last; each has two of the four actions of every call.
    first = [entry for lap in laps for entry in lap[:2]]
    second = [entry for lap in reversed(laps) for entry in lap[2:]]
    racers = [await start(on.url, entries) for entries in (first, second)]
    for racer in racers:
        await said(racer, b"ready")
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"go\n")
    for racer in racers:
        await said(racer, b"done")
        assert await racer.wait() == 0
    winners: Counter[str] = Counter()
    for call_id in calls:
        history = await on.events(call_id)
        assert_legal(history)
        assert (await on.call(call_id))["status"] == "ended"
        winners[history[3].kind] += 1
    assert winners.keys() == WINNERS, winners
