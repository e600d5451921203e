"""All clients in one process of node, each on the same call."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

Told = dict[str, dict[str, Any]]


class RunningClients:
    """What they were told so far, and the network between them and the service."""

    def __init__(self, node: Process) -> None:
        self._node = node

    async def drop(self) -> Told:
        """Every connection breaks at once."""
        return await self._command("drop")

    async def told(self) -> Told:
        """By the client's name: seqs of events, statuses of the call, failures, close codes, and how many tokens it asked for."""
        return await self._command("tell")

    async def until(self, condition: Callable[[dict[str, Any]], object], *, seconds: float = 40) -> Told:
        """What all were told, once the condition holds for each of them; AssertionError when one has not come so far."""
        give_up = asyncio.get_running_loop().time() + seconds
        told = await self.told()
        while behind := {name: one for name, one in told.items() if not condition(one)}:
            assert asyncio.get_running_loop().time() < give_up, behind
            await asyncio.sleep(0.05)
            told = await self.told()
        return told

    async def _command(self, word: str) -> Told:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(f"{word}\n".encode())
        line = await self._node.stdout.readline()
        assert line, f"node has ended: {await self._node.wait()}"
        answer: Told = orjson.loads(line)
        return answer


@asynccontextmanager
async def running_clients(folder: Path, world: dict[str, object]) -> AsyncIterator[RunningClients]:
    """They follow until the end of the block."""
    command = ("node", str(folder / "run.mjs"), orjson.dumps(world).decode())
    node = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=1 << 20)
    try:
        yield RunningClients(node)
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()
