"""Rows of payloads that stand side by side in a list: each is asked for alone, and all are read in one statement."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import orjson

Fetch = Callable[[list[str]], Coroutine[Any, Any, bytes]]


class RowsTogether:
    """`fetch` answers for keys with a JSON object: by key the row as text; a row that is hidden or absent is missing there."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._wanted: list[str] = []
        self._reading: asyncio.Task[Mapping[str, str]] | None = None

    async def row(self, key: str) -> orjson.Fragment | None:
        """The row of this key, with those of all keys that are asked for at the same time."""
        self._wanted.append(key)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        found = (await self._reading).get(key)
        return None if found is None else orjson.Fragment(found.encode())

    async def _read(self) -> Mapping[str, str]:
        # A task begins after whoever is ready by now has asked. Who asks later is read for anew.
        wanted, self._wanted, self._reading = self._wanted, [], None
        rows: Mapping[str, str] = orjson.loads(await self._fetch(list(dict.fromkeys(wanted))))
        return rows
