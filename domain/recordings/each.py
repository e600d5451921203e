"""The jobs' work on many recordings: one that somebody holds, or that fails, holds up no other."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar
from uuid import UUID

import structlog

from domain.short_waits import HeldByAnother
from domain.side_by_side import Failures

log = structlog.get_logger(__name__)
T = TypeVar("T")


async def each(name: str, ids: Iterable[UUID], work: Callable[[UUID], Awaitable[T]]) -> list[T]:
    """What came of those that were done, a few at a time, by the ids of recordings or parts. What somebody holds is for the next round.

    Raises an ExceptionGroup of what else they failed with, when all others are done.
    """
    failures = Failures(_not_done)

    async def one(id: UUID, what: str) -> T | None:
        try:
            return await work(id)
        except HeldByAnother:
            log.info("recording_held", what=what)
            return None

    named = {f"{name} {id}": id for id in ids}
    done = await failures.side_by_side({what: one(id, what) for what, id in named.items()})
    failures.tell()
    return [result for result in done if result is not None]


def _not_done(what: str, error: str) -> None:
    log.warning("recording_not_worked_on", what=what, error=error)
