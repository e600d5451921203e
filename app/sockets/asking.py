"""Gives an order to all processes of the service, and gathers what they answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import asyncpg
import orjson

from app.sockets.open_sockets import SocketFacts
from app.sockets.orders import PROCESSES, TIMEOUT, Deed, Order, connect

# Seconds between two looks at who is still there.
LOOK_EVERY: Final = 0.5


@dataclass(slots=True)
class ProcessAnswer:
    """`done` is the number of sockets that it has listed or closed, None as long as it has not answered; `gone`: and never will."""

    process: str
    done: int | None = None
    gone: bool = False
    sockets: list[SocketFacts] = field(default_factory=list)

    @property
    def awaited(self) -> bool:
        return self.done is None and not self.gone


async def ask(url: str, deed: Deed, user: str | None, wait: float) -> Sequence[ProcessAnswer]:
    """What each process that lives has answered within `wait` seconds, by name; one that ends meanwhile is not waited for.

    Raises one of `app.sockets.orders.BROKEN`, and ValueError for a user's id that is too long to be asked for.
    """
    order = Order(deed, user, f"nchat_rtc_answers_{uuid4().hex}")
    # The order stands in the session that gives it, so another one has to look.
    async with _connected(url) as giving, _connected(url) as looking:
        answers = {process["pid"]: ProcessAnswer(process["name"]) for process in await looking.fetch(PROCESSES, timeout=TIMEOUT)}
        news = asyncio.Event()

        def take(_connection: object, session: int, _channel: str, part: object) -> None:
            if session in answers:
                _take(answers[session], orjson.loads(str(part)))
                news.set()

        await giving.add_listener(order.answers, take)
        await giving.execute(order.statement(), timeout=TIMEOUT)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await _all_answered(answers, news, looking)
    return sorted(answers.values(), key=lambda answer: answer.process)


def _take(answer: ProcessAnswer, part: Mapping[str, Any]) -> None:
    answer.sockets += [SocketFacts(*facts) for facts in part["sockets"]]
    answer.done = part["done"]


async def _all_answered(answers: Mapping[int, ProcessAnswer], news: asyncio.Event, looking: "asyncpg.Connection[Any]") -> None:
    while any(answer.awaited for answer in answers.values()):
        news.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await news.wait()
                continue
        living = {process["pid"] for process in await looking.fetch(PROCESSES, timeout=TIMEOUT)}
        for session, answer in answers.items():
            answer.gone = answer.gone or (answer.awaited and session not in living)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await connect(url)
    try:
        yield connection
    finally:
        connection.terminate()
