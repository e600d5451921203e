"""Statements that ask for their turn, each in the hands of a test, on a clock that the test turns."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.database.shares.proof_of_life import ProofOfLife
from app.database.shares.share import Places
from app.database.shares.turns import Turns

PLACES = Places(total=6, heavy=4, share=3, queue=5)


@dataclass(slots=True)
class Work:
    """One statement: it runs until it is let go."""

    name: str
    task: "asyncio.Task[None]"
    done: asyncio.Event


@dataclass(slots=True)
class Room:
    """Turns on a clock of their own, and the order in which statements began. `answers` is how a server does that may stand still."""

    places: Places = PLACES
    answers: Callable[[], Awaitable[None]] | None = None
    now: float = 0.0
    began: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    open: "list[Work]" = field(default_factory=list)
    turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        lives = None if self.answers is None else ProofOfLife(self.answers, lambda: self.now)
        self.turns = Turns(self.places, (lambda: self.now) if lives is None else lives.now, lives)

    async def ask(self, principal: str, *, leaves: bool = True) -> Work:
        done = asyncio.Event()
        work = Work(principal, asyncio.create_task(self._run(principal, done, leaves)), done)
        self.open.append(work)
        await settled()
        return work

    async def crowd(self) -> list[Work]:
        """A dozen who are known, each of whom asks for one thing more."""
        known = [f"known {number}" for number in range(12)]
        for name in known:
            await self.finish(await self.ask(name))
        return [await self.ask(name) for name in known]

    async def _run(self, principal: str, done: asyncio.Event, leaves: bool) -> None:
        async with self.turns.turn(principal):
            self.began.append(principal)
            self.running.append(principal)
            try:
                await done.wait()
            except asyncio.CancelledError:
                if not leaves:
                    await done.wait()
                raise
            finally:
                self.running.remove(principal)

    async def finish(self, work: Work) -> None:
        work.done.set()
        await work.task
        await settled()

    async def empty(self) -> None:
        """Ends what still runs or waits: a task that outlives its test would fail another."""
        for work in self.open:
            work.task.cancel()
            work.done.set()
        await asyncio.gather(*(work.task for work in self.open), return_exceptions=True)


async def settled() -> None:
    """Whatever is ready has run."""
    for _ in range(10):
        await asyncio.sleep(0)
