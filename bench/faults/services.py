"""Service processes that are killed and come back on the same port."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import httpx2

COMMAND: Final = str(Path(sys.executable).with_name("nchat-rtc"))
# Seconds for a start on a machine where everything else runs too.
PATIENCE: Final = 60


class Running(Protocol):
    """A process of ours."""

    @property
    def running(self) -> bool: ...

    async def end(self) -> None:
        """Kills it (SIGKILL), and returns when it is gone."""
        ...


# `nchat-rtc` with these arguments and this environment, its output in that file.
Launch = Callable[[Sequence[str], Mapping[str, str], Path], Running]


class Spawned:
    """`Running` as a child of ours."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    async def end(self) -> None:
        self._process.kill()
        await asyncio.to_thread(self._process.wait)


def spawn(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Running:
    """`Launch` by a new interpreter; what earlier ones said stays in the file."""
    with output.open("ab") as log:
        return Spawned(subprocess.Popen([COMMAND, *arguments], env=environment, stdout=log, stderr=log))


class Service:
    """One process of the service."""

    def __init__(self, port: int, settings: Mapping[str, str], output: Path, launch: Launch) -> None:
        self.port, self.output, self._launch = port, output, launch
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NCHAT_", "HASURA_GRAPHQL_"))}
        self._environment = kept | dict(settings)
        self._process: Running | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def lives(self) -> bool:
        """Whether the process that was started last is still the one."""
        return self._process is not None and self._process.running

    async def start(self) -> None:
        """Returns when it serves; TimeoutError when it does not within PATIENCE."""
        async with asyncio.timeout(PATIENCE), httpx2.AsyncClient(timeout=2) as http:
            answers = False
            while not answers:
                if not self.lives:
                    # A start that is cut off from PostgreSQL ends, and whoever looks after processes begins it again.
                    self._process = self._launch(["serve", "--port", str(self.port)], self._environment, self.output)
                await asyncio.sleep(0.05)
                answers = await _answers(http, f"http://{self.address}/healthz")

    async def kill(self) -> None:
        """At no point in particular."""
        process, self._process = self._process, None
        if process is not None:
            await process.end()


async def _answers(http: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx2.TransportError:
        return False
