"""The service, or PostgreSQL, stands still for a while under load: nobody who asks for little is refused for it."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

import orjson
import psutil
import pytest

from bench.load import Caller, Tally
from tests.hostile.attacked_service import AttackedService
from tests.hostile.scale import scaled
from tests.support.databases import Databases
from tests.support.waiting import eventually
from tests.support.whole_service import bearer

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

USERS = 32
CHEAP = orjson.dumps({"query": "{ nchat_users(limit: 20) { id username display_name } }"})
TIMES = scaled(5, 2)
# Answers between two standstills: enough for all places to be taken again.
BETWEEN = 10 * USERS


def request_of(user: UUID) -> bytes:
    head = f"POST /v1/graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(CHEAP)}\r\n"
    return f"{head}Authorization: {bearer(user)['authorization']}\r\n\r\n".encode() + CHEAP


@asynccontextmanager
async def all_ask(port: int) -> AsyncIterator[Tally]:
    """Each user on a connection of its own, again and again, until the block ends and the last have their answers."""
    loop, tally = asyncio.get_running_loop(), Tally()

    def caller(number: int) -> Callable[[], Caller]:
        return lambda: Caller([request_of(UUID(int=number))], tally, random.Random(number))  # noqa: S311 - picks one of one request

    callers = [(await loop.create_connection(caller(number), "127.0.0.1", port))[1] for number in range(1, USERS + 1)]
    yield tally
    for one in callers:
        one.stopping = True
    await asyncio.gather(*(one.closed for one in callers))


@contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    """None of them does anything meanwhile."""
    try:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


@pytest.mark.parametrize("seconds", [0.4, 1.0])
@pytest.mark.parametrize("who", ["service", "postgresql", "both"])
async def test_nobody_is_refused(attacked: AttackedService, databases: Databases, who: str, seconds: float) -> None:
    pids = {"service": [attacked.process.pid], "postgresql": [databases.server.pid], "both": [attacked.process.pid, databases.server.pid]}

    async def is_over() -> bool:
        return time.monotonic() >= ends

    async with all_ask(attacked.port) as tally:
        for _ in range(TIMES):
            answers = tally.answers + BETWEEN

            async def all_places_are_taken(answers: int = answers) -> bool:
                return tally.answers >= answers

            await eventually(all_places_are_taken, seconds=60)
            with stopped([process for pid in pids[who] for process in tree(pid)]):
                ends = time.monotonic() + seconds
                await eventually(is_over)
        answers = tally.answers + BETWEEN
        await eventually(lambda: all_places_are_taken(answers), seconds=60)
    assert tally.refused == 0, f"{tally.refused} of {tally.answers}, the first with {tally.refusal[-300:]!r}"
