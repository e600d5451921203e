"""Server-sent events as a client reads them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

PATH = "/v1/graphql"
ASKS = {"accept": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` is `next` or `complete`, or empty for a comment; `data` is JSON that was read, None for nothing."""

    kind: str
    data: Any = None
    id: str | None = None


class Events:
    """The events of one response, read one by one."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def any(self) -> Event | None:
        """The next event or comment; None at the end of the response."""
        fields: dict[str, str] = {}
        async for line in self._lines:
            if not line:
                data = fields.get("data")
                return Event(fields.get("event", ""), orjson.loads(data) if data else None, fields.get("id"))
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        return None

    async def next(self) -> Event | None:
        """The next event that is no comment."""
        while (event := await self.any()) is not None and not event.kind:
            pass
        return event

    async def all(self) -> list[Event]:
        """Those that are left; the response has to end."""
        found = []
        while (event := await self.next()) is not None:
            found.append(event)
        return found


@asynccontextmanager
async def asking_for_events(
    http: httpx2.AsyncClient, query: str, headers: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[Events]:
    """A POST that asks for events; the client hangs up at the end of the block."""
    body = {"query": query, **more}
    async with http.stream("POST", PATH, json=body, headers=ASKS | (headers or {})) as response:
        yield Events(response)
