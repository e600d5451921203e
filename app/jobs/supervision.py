"""Keeping background work alive: a loop that fails is told of and begun again."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any, Final

import structlog

from app.telemetry.log_context import JobMark, current
from app.telemetry.servers_away import facts, is_away

log = structlog.get_logger(__name__)
# Seconds. Long enough not to flood the database while it restarts.
BEGIN_AGAIN_AFTER: Final = 1.0

Work = Callable[[], Coroutine[Any, Any, object]]
# Hears of each run of a job: its name, how many seconds it took, and whether it failed.
ObserveJob = Callable[[str, float, bool], None]


def uncounted(_name: str, _seconds: float, _failed: bool) -> None:
    """The default hook: nobody counts."""


class Supervisor:
    """Runs the jobs of a process. It knows which of them wait for a server, so that an outage is a line and not one for every try."""

    def __init__(self, observe: ObserveJob = uncounted) -> None:
        self._observe = observe
        self._waiting: set[str] = set()

    async def attempt(self, name: str, work: Work, *, counted: bool = True) -> bool:
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
        self._tell(name, failure)
        if counted:
            self._observe(name, loop.time() - began, failure is not None)
        return failure is None

    def _tell(self, name: str, failure: BaseException | None) -> None:
        if failure is None:
            if name in self._waiting:
                log.info("job_goes_on", job=name)
            self._waiting.discard(name)
        elif not is_away(failure):
            log.error("job_failed", job=name, exc_info=failure)
        elif name not in self._waiting:
            self._waiting.add(name)
            log.warning("job_waits", job=name, **facts(failure))

    async def keep_running(self, name: str, work: Work) -> None:
        """Runs work that is not meant to end, for as long as the service lives."""
        while True:
            await self.attempt(name, work, counted=False)
            await asyncio.sleep(BEGIN_AGAIN_AFTER)

    async def every(self, seconds: float, name: str, work: Work, *, wake: asyncio.Event | None = None) -> None:
        """Runs the work again and again, at once when woken and otherwise this many seconds after it ended."""
        signal = wake or asyncio.Event()
        while True:
            signal.clear()
            await self.attempt(name, work)
            await wait_for(signal, seconds)


async def wait_for(signal: asyncio.Event, seconds: float) -> bool:
    """Whether the signal came within this time."""
    try:
        async with asyncio.timeout(seconds):
            return await signal.wait()
    except TimeoutError:
        return False
