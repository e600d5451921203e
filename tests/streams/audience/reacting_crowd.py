"""People who react over websockets as fast as they are answered, and come again when they are sent away."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.whole_service import bearer

TYPES = ("like", "love", "fire", "clap", "wow", "laugh", "sad")
REACT = "mutation ($stream: uuid!, $type: reaction_type!) { reactToStream(input: {streamId: $stream, type: $type}) { streamId } }"
# Of one person; the service runs no more of one principal's actions beside each other.
IN_FLIGHT = 4


@dataclass(slots=True)
class Told:
    """Reactions by type: `answered` ones are counted for sure, `unanswered` ones were on their way when the socket closed."""

    answered: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    refused: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Crowd:
    """`address` is asked for whenever somebody connects; `each` is what everybody sends."""

    stream_id: UUID
    address: Callable[[], str]
    each: int
    told: Told = field(default_factory=Told)
    reconnects: int = 0

    async def react(self, people: list[UUID]) -> None:
        """Until every reaction was sent."""
        async with asyncio.TaskGroup() as together:
            for number, who in enumerate(people):
                together.create_task(self._react(who, iter([TYPES[(number + place) % len(TYPES)] for place in range(self.each)])))

    async def _react(self, who: UUID, left: Iterator[str]) -> None:
        numbers = count()
        while True:
            try:
                async with connect(f"ws://{self.address()}/v1/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
                    await _begin(socket, who)
                    if await self._send_all(socket, left, numbers):
                        return
            except OSError:
                await asyncio.sleep(0.02)
            self.reconnects += 1

    async def _send_all(self, socket: ClientConnection, left: Iterator[str], numbers: Iterator[int]) -> bool:
        """Whether all were sent and answered; False when the socket closed before."""
        on_its_way: dict[str, str] = {}
        try:
            while True:
                while len(on_its_way) < IN_FLIGHT and (type := next(left, None)) is not None:
                    on_its_way[str(number := next(numbers))] = type
                    await socket.send(_reaction(str(number), self.stream_id, type))
                if not on_its_way:
                    return True
                self._hear(orjson.loads(await socket.recv()), on_its_way)
        except ConnectionClosed:
            self.told.unanswered.update(on_its_way.values())
            return False

    def _hear(self, message: Any, on_its_way: dict[str, str]) -> None:
        match message["type"]:
            case "next":
                assert "errors" not in message["payload"]
                self.told.answered[on_its_way.pop(message["id"])] += 1
            case "error":
                self.told.refused.append(message["payload"])
                on_its_way.pop(message["id"])


async def _begin(socket: ClientConnection, who: UUID) -> None:
    await socket.send(orjson.dumps({"type": "connection_init", "payload": {"headers": bearer(who)}}).decode())
    assert orjson.loads(await socket.recv())["type"] == "connection_ack"


def _reaction(id: str, stream_id: UUID, type: str) -> str:
    payload = {"query": REACT, "variables": {"stream": str(stream_id), "type": type}}
    return orjson.dumps({"type": "subscribe", "id": id, "payload": payload}).decode()
