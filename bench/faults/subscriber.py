"""One who follows a call, keeps all it is sent, and comes back with its cursor whenever it is cut off, or leaves by itself."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import Close
from websockets.typing import Subprotocol

from bench.faults.history import line_of

FOLLOW: Final = """subscription ($call: uuid!, $after: bigint, $epoch: String) {
  callEvents(callId: $call, after: $after, epoch: $epoch) { seq epoch kind actor { id } payload }
}"""
# Events after which it leaves in the middle of the stream and comes back, to the other process.
STAYS: Final = (100, 600)
# Seconds until it tries again where nobody answers.
PAUSE: Final = (0.05, 0.3)
SUBPROTOCOL: Final = Subprotocol("graphql-transport-ws")


class CutOff(Exception):
    """The connection is over."""


class Subscriber:
    """`cursor` and `epoch` are of the last event, `taken` counts all. `met` counts how connections ended, `refused` has the errors."""

    def __init__(self, addresses: Sequence[str], call_id: str, token: str, history: Path, dice: random.Random) -> None:
        self._addresses, self._call_id, self._token, self._dice = addresses, call_id, token, dice
        self.cursor, self.taken = 0, 0
        self.epoch: str | None = None
        self.met: Counter[str] = Counter()
        self.refused: list[Any] = []
        self._history = history.open("w")
        self._at = dice.randrange(len(addresses))

    async def follow(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                try:
                    await self._connected()
                except (CutOff, OSError, WebSocketException) as error:
                    self.met[_how(error)] += 1
                    await asyncio.sleep(self._dice.uniform(*PAUSE))
                self._at = (self._at + 1) % len(self._addresses)
        finally:
            self._history.close()

    async def _connected(self) -> None:
        address = self._addresses[self._at]
        url = f"ws://{address}/v1/graphql"
        async with connect(url, subprotocols=[SUBPROTOCOL], compression=None, ping_interval=None, open_timeout=5) as socket:
            self._history.write(f"# at {address} after {self.cursor}\n")
            await _say(socket, type="connection_init", payload={"headers": {"authorization": self._token}})
            variables = {"call": self._call_id, "after": self.cursor, "epoch": self.epoch}
            await _say(socket, type="subscribe", id="1", payload={"query": FOLLOW, "variables": variables})
            await self._listen(socket, self.cursor + self._dice.randint(*STAYS))
        self.met["left"] += 1

    async def _listen(self, socket: ClientConnection, until: int) -> None:
        while self.cursor < until:
            message = orjson.loads(await socket.recv())
            match message["type"]:
                case "next":
                    self._take(message["payload"]["data"]["callEvents"])
                case "error":
                    self.refused.append(message["payload"])
                    raise CutOff
                case "ping":
                    await _say(socket, type="pong")

    def _take(self, event: dict[str, Any]) -> None:
        """All of it is kept, also what it has already."""
        actor = event["actor"]
        self._history.write(str(line_of(event["seq"], event["kind"], actor and actor["id"], event["payload"])))
        self.cursor, self.epoch = event["seq"], event["epoch"]
        self.taken += 1


def _how(error: Exception) -> str:
    match error:
        case CutOff():
            return "refused"
        case ConnectionClosed(rcvd=None):
            return "cut off without a word"
        case ConnectionClosed(rcvd=Close(code, reason)):
            return f"closed with {code} {reason}"
        case OSError():
            return "nobody there"
    return "cut off before the upgrade"


async def _say(socket: ClientConnection, **message: object) -> None:
    await socket.send(orjson.dumps(message).decode())
