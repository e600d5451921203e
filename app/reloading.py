"""SIGHUP: the metadata and the shape of the database are read again, and served from then on, without a restart."""

import asyncio
import gc
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import structlog

from app.interpreter import settle
from app.startup import STARTUP_ERRORS, sentence

log = structlog.get_logger(__name__)

# Set by a SIGHUP that comes while the process starts: it may have read what has changed since.
_early = threading.Event()
# Raises what a start would end with; what was served before is served on then.
Reload = Callable[[], Awaitable[None]]


def note_hangups() -> None:
    """From now on SIGHUP is no longer the end of the process; whoever listens later hears of it then."""
    signal.signal(signal.SIGHUP, lambda *_: _early.set())


@contextmanager
def reloads_on_hangup(reload: Reload) -> Iterator[None]:
    """Each SIGHUP reloads, one after the other."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, turn, running = asyncio.get_running_loop(), asyncio.Lock(), set[asyncio.Task[None]]()

    def hear() -> None:
        task = loop.create_task(_reload(reload, turn), name="reload")
        running.add(task)
        task.add_done_callback(running.discard)

    loop.add_signal_handler(signal.SIGHUP, hear)
    if _early.is_set():
        _early.clear()
        hear()
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        for task in running:
            task.cancel()


async def _reload(reload: Reload, turn: asyncio.Lock) -> None:
    async with turn:
        began = time.perf_counter()
        try:
            await reload()
        except STARTUP_ERRORS as error:
            log.error("metadata_not_reloaded", reason=sentence(error))
            return
        except Exception:  # what was served before is served on, whatever is wrong
            log.error("metadata_not_reloaded", reason="a fault of the service", exc_info=True)
            return
        # What was served before lived for ever until now.
        gc.unfreeze()
        settle()
        log.info("metadata_reloaded", seconds=round(time.perf_counter() - began, 2))
