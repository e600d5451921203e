"""A crowd at a stream: those who write, and those who follow, leave in the middle and come back to another process."""

import asyncio
import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

FOLLOW: Final = """subscription ($stream: uuid!, $after: bigint, $epoch: String) {
  streamChat(streamId: $stream, after: $after, epoch: $epoch) { seq epoch kind message { content author { id } } }
}"""
SEND: Final = "mutation ($input: SendStreamChatInput!) { sendStreamChat(input: $input) { seq } }"
SUBPROTOCOL: Final = Subprotocol("graphql-transport-ws")
# So many leave without a word.
DROPS: Final = 0.5
# One message of so many is sent again, to the other process, as after a lost answer.
AGAIN: Final = 10


class Follower:
    """`heard` is a hash of all it was sent, in the order in which that came; `seq` is that of the last. `out_of_order` has what did not
    follow the one before."""

    def __init__(self, addresses: Sequence[str], stream_id: UUID, headers: Mapping[str, str], stays: tuple[int, int], seed: int) -> None:
        self._addresses, self._stream_id, self._headers, self._stays = addresses, stream_id, headers, stays
        self._dice = random.Random(seed)  # noqa: S311
        self.seq, self.returns, self.epoch = 0, 0, None
        self.heard = hashlib.sha256()
        self.out_of_order: list[Any] = []

    async def follow(self, last: int) -> None:
        """Until it has the event of this number."""
        while self.seq < last:
            await self._connected(min(last, self.seq + self._dice.randint(*self._stays)))
            self.returns += 1

    async def _connected(self, until: int) -> None:
        address = self._dice.choice(self._addresses)
        url = f"ws://{address}/v1/graphql"
        # What was sent and is not read here keeps no goodbye waiting.
        async with connect(url, subprotocols=[SUBPROTOCOL], compression=None, ping_interval=None, max_queue=None) as socket:
            await _say(socket, type="connection_init", payload={"headers": dict(self._headers)})
            variables = {"stream": str(self._stream_id), "after": self.seq, "epoch": self.epoch}
            await _say(socket, type="subscribe", id="1", payload={"query": FOLLOW, "variables": variables})
            while self.seq < until:
                await self._take(socket, orjson.loads(await socket.recv()))
            if self._dice.random() < DROPS:
                socket.transport.abort()

    async def _take(self, socket: ClientConnection, message: Any) -> None:
        match message["type"]:
            case "next":
                event = message["payload"]["data"]["streamChat"]
                if event["seq"] != self.seq + 1:
                    self.out_of_order.append(event)
                self.seq, self.epoch = event["seq"], event["epoch"]
                note(self.heard, event["seq"], event["message"]["author"]["id"], event["message"]["content"])
            case "ping":
                await _say(socket, type="pong")
            case "error":
                raise AssertionError(message)


def note(heard: Any, seq: int, author: object, content: str) -> None:
    """One more message."""
    heard.update(f"{seq} {author} {content}\n".encode())


async def write(addresses: Sequence[str], stream_id: UUID, headers: Mapping[str, str], many: int, seed: int) -> list[int]:
    """One after the other, through one process or the other; the numbers that they got."""
    dice, seqs = random.Random(seed), list[int]()  # noqa: S311
    async with httpx2.AsyncClient(timeout=60, headers=dict(headers)) as http:
        for number in range(many):
            given = {"streamId": str(stream_id), "content": f"{seed} says {number}", "clientMessageId": str(uuid4())}
            tries = 2 if dice.randrange(AGAIN) == 0 else 1
            answers = {await _sent(http, address, given) for address in dice.choices(addresses, k=tries)}
            (seq,) = answers
            seqs.append(seq)
    return seqs


async def _sent(http: httpx2.AsyncClient, address: str, given: Mapping[str, str]) -> int:
    response = await http.post(f"http://{address}/v1/graphql", json={"query": SEND, "variables": {"input": given}})
    answer = response.json()
    assert "errors" not in answer, answer
    seq: int = answer["data"]["sendStreamChat"]["seq"]
    return seq


async def _say(socket: ClientConnection, **message: object) -> None:
    await socket.send(orjson.dumps(message).decode())


async def all_at_once(following: Sequence[Follower], writing: Sequence[Any], last: int) -> list[list[int]]:
    """What writers got, when everybody who follows has everything."""
    async with asyncio.TaskGroup() as together:
        for follower in following:
            together.create_task(follower.follow(last))
        written = [together.create_task(one) for one in writing]
    return [task.result() for task in written]
