"""The other user, in a process of its own: asks every 20 ms, whatever became of the question before.

`python -m tests.hostile.neighbour URL PID` reads an authorization header on the first line of stdin. Each further line of stdin
is a number: once so many questions were asked since the last report, it is answered with one JSON line of what was felt,
`{"asked", "p95", "longest", "failures", "resident"}`, seconds and bytes, `resident` the most that the service's processes held.
"""

import asyncio
import sys
import time
from dataclasses import dataclass, field

import httpx2
import orjson
import psutil

from tests.support.waiting import eventually

EVERY = 0.02
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
        self._open: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Until cancelled."""
        due = time.monotonic()
        while True:
            question = asyncio.create_task(self._ask(self._felt))
            self._open.add(question)
            question.add_done_callback(self._open.discard)
            self._felt.resident = max(self._felt.resident, self._resident())
            due = max(due + EVERY, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    async def report(self, questions: int) -> bytes:
        """What was felt since the last report, by every question asked until now and at least so many."""
        await eventually(lambda: self._asked(questions), seconds=60)
        felt, self._felt = self._felt, Felt()
        if self._open:
            await asyncio.wait(set(self._open))
        return felt.report()

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


async def main(url: str, pid: int) -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    headers = {"authorization": (await orders.readline()).decode().strip()}
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE, limits=limits) as http:
        neighbour = Neighbour(http, pid)
        living = asyncio.create_task(neighbour.live())
        while order := await orders.readline():
            sys.stdout.buffer.write(await neighbour.report(int(order)) + b"\n")
            sys.stdout.buffer.flush()
        living.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
