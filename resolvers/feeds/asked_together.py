"""Questions that come while one is being answered are asked together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class AskedTogether(Generic[Q, A]):
    """`ask` answers several questions in their order. What is asked is read after it was asked for."""

    def __init__(self, ask: Callable[[Sequence[Q]], Awaitable[Sequence[A]]], at_once: int) -> None:
        self._ask, self._at_once = ask, at_once
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, question: Q) -> A:
        """The answer; what `ask` raises is raised by all who asked together."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all(), name="asked together")
        return await answer

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
                await self._answer([(question, answer) for question, answer in asked if not answer.done()])
        finally:
            self._asking = None

    async def _answer(self, asked: Sequence[tuple[Q, "asyncio.Future[A]"]]) -> None:
        try:
            answers = await self._ask([question for question, _ in asked])
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
        else:
            for (_, answer), found in zip(asked, answers, strict=True):
                if not answer.done():
                    answer.set_result(found)
