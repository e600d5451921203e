"""The fault run of the benchmarks, as short as it can be: everything is broken a few times, and nobody misses anything."""

import asyncio
import gc
import random
from pathlib import Path
from typing import Final

import pytest

from bench.faults.faulty_broker import FaultyBroker, split
from bench.faults.history import Line, Wrong, check, compare, has_gaps
from bench.faults.run import Size, run
from tests.support.forked_commands import ForkedCommands
from tests.support.waiting import within

pytestmark = pytest.mark.anyio

SUBSCRIBERS: Final = 40
REDIS: Final = ("times Redis connections killed", "times Redis killed and started")
HINTS: Final = ("hints dropped", "hints doubled", "hints delayed")
MET: Final = ("processes killed", "PostgreSQL connections killed", *REDIS, *HINTS)
TRUTH: Final = [Line(seq, f"{seq:x}") for seq in range(1, 6)]


async def test_nothing_is_lost_doubled_or_reordered(demo_database_url: str, commands: ForkedCommands, tmp_path: Path) -> None:
    size = Size(subscribers=SUBSCRIBERS, deliveries=1_500, rate=30.0, in_peace=(0.2, 0.5), launch=commands.run)
    outcome = await run(demo_database_url, tmp_path, size, print)
    print(outcome)  # noqa: T201 - shown by `pytest -s` and beside a failure
    assert outcome.checked.is_well
    assert (outcome.checked.subscribers, outcome.refused) == (SUBSCRIBERS, [])
    assert all(outcome.met[trouble] for trouble in MET), outcome.met
    # What is on disk says the same, and tells when it is not so.
    history = next(tmp_path.glob("subscriber-*"))
    first, second, *others = [line for line in history.read_text().splitlines(keepends=True) if not line.startswith("#")]
    history.write_text("".join([second, first, *others[:-1]]))
    assert check(tmp_path).wrong == Wrong(lost=1, reordered=1)


@pytest.mark.parametrize(
    ("got", "wrong"),
    [
        (TRUTH, Wrong()),
        (TRUTH[:-1], Wrong(lost=1)),
        ([*TRUTH[:3], *TRUTH[2:]], Wrong(doubled=1)),
        ([*TRUTH, *TRUTH[1:2]], Wrong(doubled=1)),
        ([TRUTH[1], TRUTH[0], *TRUTH[2:]], Wrong(reordered=1)),
        ([*TRUTH[:4], Line(5, "other")], Wrong(altered=1)),
        ([*TRUTH, Line(6, "of nobody")], Wrong(altered=1)),
        ([], Wrong(lost=5)),
    ],
)
def test_what_is_wrong_is_counted(got: list[Line], wrong: Wrong) -> None:
    assert compare(got, TRUTH) == wrong
    assert bool(wrong) == (got != TRUTH)


def test_a_call_that_does_not_count_has_gaps() -> None:
    assert not has_gaps(TRUTH)
    assert has_gaps(TRUTH[1:])
    assert has_gaps([*TRUTH[:2], *TRUTH[3:]])


def test_replies_are_told_apart_wherever_they_are_cut() -> None:
    replies = [b"+OK\r\n", b":12\r\n", b"$-1\r\n", b"$4\r\na\r\nb\r\n", b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n", b"*-1\r\n"]
    whole = b"".join(replies)
    assert list(split(whole)) == [*replies, b""]
    for cut in range(len(whole)):
        *first, rest = split(whole[:cut])
        assert [*first, *split(rest + whole[cut:])] == [*replies, b""]
    with pytest.raises(ValueError, match="no reply"):
        list(split(b"%1\r\n+a\r\n+b\r\n"))


@pytest.mark.parametrize("comes", ["before", "after"])
async def test_the_broker_ends_with_whoever_comes_in_its_last_moment(comes: str) -> None:
    proxy, ended = FaultyBroker(1, random.Random(1)), asyncio.Event()  # noqa: S311 - no secret

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if comes == "after":
            await proxy.end()
        proxy.serve(reader, writer)
        await proxy.end()
        assert writer.is_closing()
        ended.set()

    async with await asyncio.start_server(come, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await within(ended.wait(), 5)
        writer.close()


@pytest.mark.parametrize("steps", range(12))
async def test_the_broker_leaves_nothing_open_whenever_it_ends(steps: int) -> None:
    """Also while a connection is just ending by itself, some steps of the event loop after its client went away."""
    has_come, gone = asyncio.Event(), asyncio.Event()

    async def redis(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        has_come.set()
        await reader.read()
        writer.close()
        gone.set()

    there = await asyncio.start_server(redis, "127.0.0.1", 0)
    proxy = FaultyBroker(there.sockets[0].getsockname()[1], random.Random(1))  # noqa: S311 - no secret
    async with there, await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await within(has_come.wait(), 5)
        writer.transport.abort()
        for _ in range(steps):
            await one_step()
        await proxy.end()
        # What was left open says so when it is collected.
        gc.collect()
        await within(gone.wait(), 5)


async def one_step() -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_soon(passed.set)
    await passed.wait()
