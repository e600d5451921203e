"""All that a service lets out, kept as it came: each response, and each frame of a websocket."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import orjson
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.whole_service import Refused

SUBPROTOCOL: Final = Subprotocol("graphql-transport-ws")


class Wiretap:
    """Asks one process in a person's name. `responses` and `frames` hold what came, whatever it was."""

    def __init__(self, http: httpx2.AsyncClient, address: str, headers: Mapping[str, str]) -> None:
        self._http, self._address, self._headers = http, address, dict(headers)
        self.responses: list[str] = []
        self.frames: list[str] = []
        self._listening: list[asyncio.Task[None]] = []

    async def ask(self, query: str, *, secret: str | None = None, **variables: object) -> Any:
        """The data, or Refused. Of an answer that may tell a secret, this once, all but that is kept: `secret` names its field."""
        body = {"query": query, "variables": variables}
        answer = await self._http.post(f"http://{self._address}/v1/graphql", json=body, headers=self._headers)
        told = answer.json()
        text = answer.text
        if secret is not None and "errors" not in told:
            (payload,) = told["data"].values()
            text = text.replace(orjson.dumps(payload[secret]).decode(), '""')
        self._keep(answer, text)
        if "errors" in told:
            raise Refused(query, told)
        return told["data"]

    async def fetch(self, path: str) -> None:
        answer = await self._http.get(f"http://{self._address}{path}", headers=self._headers)
        self._keep(answer, answer.text)

    async def follow(self, query: str, **variables: object) -> None:
        """Until `stop`; returns when the first frame after the subscription came."""
        before = len(self.frames)
        self._listening.append(asyncio.create_task(self._follow(query, variables)))
        while len(self.frames) <= before:
            if self._listening[-1].done():
                self._listening[-1].result()
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)

    def _keep(self, answer: httpx2.Response, text: str) -> None:
        self.responses.append(f"{answer.status_code} {dict(answer.headers)} {text}")

    async def _follow(self, query: str, variables: Mapping[str, object]) -> None:
        async with connect(f"ws://{self._address}/v1/graphql", subprotocols=[SUBPROTOCOL]) as socket:
            await socket.send(orjson.dumps({"type": "connection_init", "payload": {"headers": self._headers}}).decode())
            await socket.recv()
            payload = {"query": query, "variables": variables}
            await socket.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode())
            async for frame in socket:
                text = frame if isinstance(frame, str) else frame.decode()
                self.frames.append(text)
                if orjson.loads(text)["type"] == "ping":
                    await socket.send(orjson.dumps({"type": "pong"}).decode())
