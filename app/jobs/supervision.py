"""Keeping background work alive: a loop that fails is told of and begun again."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextvars import copy_context
from typing import Any, Final

import asyncpg
import structlog

from app.telemetry.log_context import JobMark, current
from resolvers.sql.database import DatabaseError

log = structlog.get_logger(__name__)
# Seconds. Long enough not to flood the log while the database restarts.
BEGIN_AGAIN_AFTER: Final = 1.0
# PostgreSQL restarts, is full, or can't be reached.
AWAY: Final = (
    DatabaseError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    OSError,
)

Work = Callable[[], Coroutine[Any, Any, object]]
# Hears of each run of a job: its name, how many seconds it took, and whether it failed.
ObserveJob = Callable[[str, float, bool], None]


def uncounted(_name: str, _seconds: float, _failed: bool) -> None:
    """The default hook: nobody counts."""


async def attempt(name: str, work: Work, observe: ObserveJob = uncounted) -> bool:
    """Runs one piece of work to its end; a failure is logged, one of our own with its traceback, and answered with False.

    The work is a task of its own, so that whatever it fails with ends it and nothing else. Cancelled, it cancels the work.
    """
    loop = asyncio.get_running_loop()
    began, context = loop.time(), copy_context()
    context.run(current.set, JobMark(name))
    task = asyncio.create_task(work(), name=name, context=context)
    try:
        await asyncio.wait({task})
    finally:
        # Only when this was cancelled is there something left to end.
        task.cancel()
        await asyncio.wait({task})
    failure = None if task.cancelled() else task.exception()
    if failure is not None:
        _tell(name, failure)
    observe(name, loop.time() - began, failure is not None)
    return failure is None


def _tell(name: str, failure: BaseException) -> None:
    """That a server is away is no fault of ours: it needs one line, not a traceback each second."""
    reasons = list(_reasons(failure))
    if all(isinstance(one, AWAY) for one in reasons):
        state = getattr(reasons[0], "sqlstate", None)
        log.warning("job_waits", job=name, error=type(reasons[0]).__name__, sqlstate=state)
    else:
        log.error("job_failed", job=name, exc_info=failure)


def _reasons(failure: BaseException) -> Iterator[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        for one in failure.exceptions:
            yield from _reasons(one)
    else:
        yield failure


async def keep_running(name: str, work: Work) -> None:
    """Runs work that is not meant to end, for as long as the service lives."""
    while True:
        await attempt(name, work)
        await asyncio.sleep(BEGIN_AGAIN_AFTER)


async def every(seconds: float, name: str, work: Work, observe: ObserveJob = uncounted, *, wake: asyncio.Event | None = None) -> None:
    """Runs the work again and again, at once when woken and otherwise this many seconds after it ended."""
    signal = wake or asyncio.Event()
    while True:
        signal.clear()
        await attempt(name, work, observe)
        await wait_for(signal, seconds)


async def wait_for(signal: asyncio.Event, seconds: float) -> bool:
    """Whether the signal came within this time."""
    waiting: Awaitable[bool] = signal.wait()
    try:
        return await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return False
