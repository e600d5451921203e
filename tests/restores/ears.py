"""Subscribers who remember when they heard what, over websockets of their own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

from tests.support.waiting import eventually
from tests.transport.fakes import websocket

# Longer than any restore takes.
PATIENCE = 60.0


class Ear:
    """One subscription; `heard` are the values of its root field, `refused` is the code that ended it; both with the loop's time."""

    def __init__(self, headers: dict[str, str], query: str, **variables: object) -> None:
        self._headers, self._query, self._variables = headers, query, variables
        self.heard: list[tuple[float, Any]] = []
        self.refused: tuple[float, str] | None = None

    @property
    def call(self) -> str:
        """The call that it asks for."""
        return str(self._variables["call"])

    @property
    def last(self) -> Any:
        return self.heard[-1][1] if self.heard else None

    @property
    def code(self) -> str | None:
        return self.refused and self.refused[1]

    async def listen(self, address: str) -> None:
        """Until it is refused, or cancelled."""
        async with websocket(address) as client:
            await client.init(self._headers)
            await client.subscribe(self._query, variables=self._variables)
            while self.refused is None:
                message = await client.receive(PATIENCE)
                now = asyncio.get_running_loop().time()
                match message["type"]:
                    case "next" if message["payload"].get("data"):
                        self.heard.append((now, next(iter(message["payload"]["data"].values()))))
                    case "error":
                        self.refused = now, message["payload"][0]["extensions"]["code"]

    async def until(self, condition: Callable[["Ear"], object], seconds: float = 10.0) -> None:
        """Returns once that holds; AssertionError, with what it heard last, when it still does not."""

        async def holds() -> object:
            return condition(self)

        try:
            await eventually(holds, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self._query} {self._variables} heard {self.last}, {self.code}") from None

    def waited(self, since: float) -> float:
        """Seconds from then until it was refused, or until what it heard last."""
        moment = self.refused[0] if self.refused else self.heard[-1][0]
        return max(0.0, moment - since)


@asynccontextmanager
async def listening(address: str, ears: Collection[Ear]) -> AsyncIterator[None]:
    """All of them, until the block ends; raises what one of them failed with."""
    tasks = [asyncio.create_task(ear.listen(address)) for ear in ears]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        failures = [one for one in await asyncio.gather(*tasks, return_exceptions=True) if isinstance(one, Exception)]
    assert not failures, failures
