"""The other user, in a process of its own: asks every 20 ms, whatever became of the question before.

`python -m tests.hostile.neighbour` reads from stdin where to live, one JSON line, `{"url", "pid", "authorization", "first",
"questions"}`. It asks `first` questions that nobody counts; what it felt over `questions` more is reported as one JSON line, `{"asked",
"p95", "longest", "failures", "resident"}`, seconds and bytes, `resident` the most that the service's processes held. Each further line
is a number: once so many questions were asked since the last report, it is answered with another one. An empty line ends it all.
"""

import asyncio
import sys
import time
from dataclasses import dataclass, field

import httpx2
import orjson
import psutil

from tests.support.waiting import eventually

# As long as nobody attacks there is time for more.
EVERY, EVERY_IN_QUIET = 0.02, 0.01
QUESTION = {"query": "{ nchat_users(limit: 1) { id } }"}
# Longer than anybody may wait, so that a long wait is measured and not only a failure.
PATIENCE = 20.0


@dataclass(slots=True)
class Felt:
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    resident: int = 0

    def report(self) -> bytes:
        waits = sorted(self.waits)
        p95 = waits[int(len(waits) * 0.95)] if waits else 0.0
        longest = waits[-1] if waits else 0.0
        return orjson.dumps({"asked": len(waits), "p95": p95, "longest": longest, "failures": self.failures[:5], "resident": self.resident})


class Neighbour:
    """Asks and remembers; a report begins a new memory."""

    def __init__(self, http: httpx2.AsyncClient, pid: int) -> None:
        self._http, self._service = http, psutil.Process(pid)
        self._felt = Felt()
        self.every = EVERY_IN_QUIET
        self._open: set[asyncio.Task[None]] = set()

    async def warm_up(self, questions: int) -> None:
        """Connections, plans and schemas of a first request are nobody's attack."""
        for _ in range(questions):
            await self._ask(Felt())

    async def live(self) -> None:
        """Until cancelled."""
        due = time.monotonic()
        while True:
            question = asyncio.create_task(self._ask(self._felt))
            self._open.add(question)
            question.add_done_callback(self._open.discard)
            self._felt.resident = max(self._felt.resident, self._resident())
            due = max(due + self.every, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def report(self, questions: int) -> bytes:
        """What was felt since the last report, by every question asked until now and at least so many."""
        await eventually(lambda: self._asked(questions), seconds=60)
        felt, self._felt = self._felt, Felt()
        if self._open:
            await asyncio.wait(set(self._open))
        return felt.report()

    async def leave(self) -> None:
        """Hangs up."""
        for question in self._open:
            question.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _asked(self, questions: int) -> bool:
        return len(self._felt.waits) >= questions

    async def _ask(self, felt: Felt) -> None:
        began = time.monotonic()
        try:
            answer = await self._http.post("/v1/graphql", json=QUESTION)
            if not answer.is_success or answer.content.startswith(b'{"errors"'):
                felt.failures.append(f"{answer.status_code} {answer.text[:200]}")
        except httpx2.HTTPError as error:
            felt.failures.append(repr(error))
        felt.waits.append(time.monotonic() - began)

    def _resident(self) -> int:
        try:
            return sum(process.memory_info().rss for process in (self._service, *self._service.children(recursive=True)))
        except psutil.NoSuchProcess:
            return 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where to live, and how much to ask before."""

    url: str
    pid: int
    authorization: str
    first: int
    questions: int


async def live_at(place: Place, orders: asyncio.StreamReader) -> None:
    headers, limits = {"authorization": place.authorization}, httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=place.url, headers=headers, timeout=PATIENCE, limits=limits) as http:
        neighbour = Neighbour(http, place.pid)
        await neighbour.warm_up(place.first)
        living = asyncio.create_task(neighbour.live())
        say(await neighbour.report(place.questions))
        neighbour.every = EVERY
        while order := (await orders.readline()).strip():
            say(await neighbour.report(int(order)))
        living.cancel()
        await neighbour.leave()


def say(report: bytes) -> None:
    sys.stdout.buffer.write(report + b"\n")
    sys.stdout.buffer.flush()


async def main() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while place := await orders.readline():
        await live_at(Place(**orjson.loads(place)), orders)


if __name__ == "__main__":
    asyncio.run(main())
