"""Many subscribers in a process of their own (`bench.fanout.swarm`), and what came to them."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from tests.hostile.attacked_service import AttackedService
from tests.support.waiting import eventually


def introduction(headers: Mapping[str, str]) -> str:
    """The first message of a socket."""
    return orjson.dumps({"type": "connection_init", "payload": {"headers": dict(headers)}}).decode()


def subscription(id: str, query: str, variables: Mapping[str, object]) -> str:
    return orjson.dumps({"type": "subscribe", "id": id, "payload": {"query": query, "variables": variables}}).decode()


@dataclass(slots=True)
class Swarm:
    """What they have received so far. It is started before all of them follow: what has to reach each of them is followed `after: 0`."""

    process: Process
    received: int = 0
    lost: int = 0
    doubled: int = 0
    closed: int = 0

    async def has_received(self, events: int, *, seconds: float = 30) -> None:
        """Returns when they have so many in all; AssertionError with what they have when it takes longer."""

        async def so_many() -> bool:
            return await self._receive() >= events

        def figures() -> str:
            return f"{self.received} of {events}, {self.lost} lost, {self.doubled} doubled, {self.closed} closed"

        await eventually(so_many, seconds=seconds, instead=figures)

    async def _receive(self) -> int:
        """All that they have until now."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"\n")
        found = orjson.loads(await self.process.stdout.readline())
        self.received += found["events"]
        self.lost, self.doubled, self.closed = self.lost + found["lost"], self.doubled + found["doubled"], self.closed + found["closed"]
        return self.received


@asynccontextmanager
async def subscribed(attacked: AttackedService, sockets: int, messages: Sequence[Sequence[str]]) -> AsyncIterator[Swarm]:
    """So many sockets, each of which sends one of the lists of messages, inside the block."""
    command = [sys.executable, "-m", "bench.fanout.swarm", str(attacked.port), str(sockets)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(orjson.dumps({"path": "/v1/graphql", "subprotocol": "graphql-transport-ws", "messages": messages}) + b"\n")
        assert await process.stdout.readline() == b"ready\n"
        yield Swarm(process)
    finally:
        process.kill()
        await process.wait()
