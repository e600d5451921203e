"""The running service as a client sees it: GraphQL over HTTP and over graphql-transport-ws, nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx2
from websockets.asyncio.client import ClientConnection, connect


class Refused(Exception):
    """The service answered with an error; `code` is its `extensions.code`."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code: str = error["extensions"]["code"]
        super().__init__(f"{self.code}: {error['message']}")


@dataclass(frozen=True, slots=True)
class DemoService:
    """`url` is the service's address, `http://127.0.0.1:8000`."""

    url: str
    http: httpx2.AsyncClient
    admin_secret: str

    async def ask(self, token: str, query: str, **variables: Any) -> dict[str, Any]:
        """The `data` of one operation; raises Refused. An empty token is nobody in particular."""
        return await self._ask({"authorization": f"Bearer {token}"} if token else {}, query, variables)

    async def ask_as_admin(self, query: str, **variables: Any) -> dict[str, Any]:
        """The same with the admin secret."""
        return await self._ask({"x-hasura-admin-secret": self.admin_secret}, query, variables)

    async def fetch(self, address: str, *, beside: str = "") -> bytes:
        """What a link leads to, redirects followed; a relative one stands `beside` another."""
        answer = await self.http.get(urljoin(beside, address), follow_redirects=True)
        answer.raise_for_status()
        return bytes(answer.content)

    async def is_gone(self, address: str) -> bool:
        """Whether a link leads nowhere any more."""
        return (await self.http.get(address, follow_redirects=True)).status_code == HTTPStatus.NOT_FOUND

    async def _ask(self, headers: Mapping[str, str], query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self.http.post(f"{self.url}/v1/graphql", json={"query": query, "variables": variables}, headers=headers)
        body = answer.json()
        if body.get("errors"):
            raise Refused(body["errors"][0])
        data: dict[str, Any] = body["data"]
        return data

    def subscribe(self, token: str, query: str, **variables: Any) -> "DemoSubscription":
        return DemoSubscription(f"{self.url.replace('http', 'ws', 1)}/v1/graphql", token, query, variables)


class DemoSubscription:
    """One subscription on a socket of its own: `async with` opens it, `async for` yields the `data` of each event."""

    def __init__(self, url: str, token: str, query: str, variables: Mapping[str, Any]) -> None:
        self.url, self.token = url, token
        self.operation = {"query": query, "variables": variables}
        self.socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self.socket = await connect(self.url, subprotocols=["graphql-transport-ws"])  # type: ignore[list-item]
        await self._send({"type": "connection_init", "payload": {"headers": {"Authorization": f"Bearer {self.token}"}}})
        await self._receive("connection_ack")
        await self._send({"type": "subscribe", "id": "1", "payload": self.operation})
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.socket is not None:
            await self.socket.close()

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            payload = (await self._receive("next"))["payload"]
            if payload.get("errors"):
                raise Refused(payload["errors"][0])
            yield payload["data"]

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self.socket is not None  # noqa: S101
        await self.socket.send(json.dumps(message))

    async def _receive(self, kind: str) -> dict[str, Any]:
        """The next message of this kind; pings are answered on the way, an `error` is raised, an end ends the iteration."""
        assert self.socket is not None  # noqa: S101
        while True:
            message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["type"] == kind:
                return message
            if message["type"] == "ping":
                await self._send({"type": "pong"})
            elif message["type"] == "error":
                raise Refused(message["payload"][0])
            elif message["type"] == "complete":
                raise asyncio.CancelledError("the subscription completed")
