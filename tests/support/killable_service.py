"""Starting and killing the service processes of `serve_killable`, from the test's own loop."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import orjson
import psutil

from tests.support.waiting import eventually, within

# A start on a machine where everything else starts too.
PATIENCE = 30


@dataclass(slots=True)
class ForkServer:
    """The process that all services are forks of, and what they say, by port."""

    process: Process
    said: dict[int, asyncio.Queue[list[str]]] = field(default_factory=lambda: defaultdict(asyncio.Queue))

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            word, port, what = line.decode().rstrip("\n").split(" ", 2)
            await self.said[int(port)].put([word, what])

    async def order(self, **order: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(order) + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def open_fork_server(database_url: str) -> AsyncIterator[ForkServer]:
    """Lives as long as the block; its services are killed by whoever started them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.serve_killable", database_url, stdin=PIPE, stdout=PIPE
    )
    ready = ForkServer(process)
    listening = asyncio.create_task(ready.listen())
    try:
        yield ready
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening


@dataclass(slots=True)
class KillableService:
    """One service after the other on one port, over one database and one LiveKit; `more` settings, as JSON has them."""

    fork_server: ForkServer
    port: int
    database_url: str
    livekit_url: str
    http: httpx2.AsyncClient
    more: Mapping[str, object] = field(default_factory=dict)
    # A number that no process has.
    pid: int = 2**22 + 1

    async def start(self) -> None:
        """Returns when it serves."""
        await self._order(None)
        await self._says("ready")

    async def start_to_die(self, point: str) -> None:
        """Returns when it has died there, maybe before it served."""
        await self._order(point)
        await self.dies(point)

    async def arm(self, point: str) -> None:
        """From now on the running service dies there."""
        (await self.http.post("/die-at", content=point)).raise_for_status()

    async def dies(self, point: str) -> None:
        while await self._says("killed", "ready") != point:
            pass

    async def is_up(self) -> bool:
        try:
            return (await self.http.get("/healthz")).is_success
        except httpx2.TransportError:
            return False

    def kill(self) -> None:
        """At no point in particular."""
        if psutil.pid_exists(self.pid):
            os.kill(self.pid, signal.SIGKILL)

    async def end(self) -> None:
        """The same, and nobody has its port any more."""
        self.kill()
        await eventually(self._is_gone)

    async def _order(self, die_at: str | None) -> None:
        await eventually(self._is_gone)
        order = {"port": self.port, "database_url": self.database_url, "livekit_url": self.livekit_url, "die_at": die_at}
        await self.fork_server.order(**order, more=dict(self.more))
        self.pid = int(await self._says("forked"))

    async def _is_gone(self) -> bool:
        """The kernel takes a moment to give a killed process's port back."""
        return not psutil.pid_exists(self.pid)

    async def _says(self, *words: str) -> str:
        word, what = await within(self.fork_server.said[self.port].get(), PATIENCE)
        assert word in words, (word, what)
        return what
