"""The other user, as a test has one beside its attack: what it feels, and what it felt before."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

# Of fewer questions no 95th percentile is worth its name.
QUESTIONS = 50
FIRST = 10


@dataclass(frozen=True, slots=True)
class Feeling:
    """What the neighbour reports, seconds and bytes."""

    asked: int
    p95: float
    longest: float
    failures: list[str]
    resident: int


class Neighbour:
    """Lives beside one attack after the other, in one process: to start it takes longer than many an attack."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @asynccontextmanager
    async def lives_at(self, url: str, pid: int, authorization: str) -> AsyncIterator[Feeling]:
        """What it felt in quiet; from then on it asks all the time, until the end of the block."""
        place = {"url": url, "pid": pid, "authorization": authorization, "first": FIRST, "questions": QUESTIONS}
        quiet = await self._answer(orjson.dumps(place))
        try:
            yield quiet
        finally:
            self._say(b"")

    async def feels(self, questions: int) -> Feeling:
        """Since the last time, over at least so many questions."""
        return await self._answer(b"%d" % questions)

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    async def _answer(self, line: bytes) -> Feeling:
        assert self._process.stdout is not None
        self._say(line)
        return Feeling(**orjson.loads(await asyncio.to_thread(self._process.stdout.readline)))


@contextmanager
def neighbour() -> Iterator[Neighbour]:
    """Ready to live anywhere."""
    command = [sys.executable, "-m", "tests.hostile.neighbour"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        yield Neighbour(process)
