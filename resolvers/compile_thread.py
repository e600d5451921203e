"""Work that would hold the event loop, done by one thread, one principal after the other."""

import asyncio
import gc
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from permissions.errors import GraphQLRefusal

T = TypeVar("T")

# Characters of documents beyond what is compiled at once. No page starts with more that is new; whoever has more waits for nothing useful.
_WAITING_OF_ONE = 256 * 1024
# What is shorter counts as so many, and other work takes as long as they do: a page's hundred short queries fit, thousands of them do not.
_LEAST = 2 * 1024
# Bytes of JSON that are read in the time of a document's character, with a margin.
_JSON_BYTES = 64
# Over a minute of work: the last would wait for an answer that nobody listens to any more.
_WAITING_OF_ALL = 500


@dataclass(slots=True, eq=False)
class _Waiting:
    size: int
    work: Callable[[], Any]
    known: Callable[[], Any]
    done: asyncio.Future[Any]


def size_of_json(size: int) -> int:
    """How many characters of a document so many bytes of JSON count as."""
    return size // _JSON_BYTES


def _swept(work: Callable[[], T]) -> T:
    """The result of `work`, and what it left behind is gone.

    A compilation makes many objects, and the conditions of a request are expressions that refer to each other in circles: some tens of
    thousands in the largest. Looked through while they are in use they grow old, and the old are only ever looked through all together, for
    longer than anything may hold the loop. Right at the end they are young.
    """
    gc.disable()
    try:
        return work()
    finally:
        gc.collect(0)
        gc.enable()


class CompileThread:
    """One thread a process: Python runs one at a time anyway, and one is enough to keep the loop free.

    Whoever has waited longest since their last turn is next, however much others ask for.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="compile")
        # In the order of their turns; nobody is in it without something that waits.
        self._queues: OrderedDict[str, deque[_Waiting]] = OrderedDict()
        self._waiting = 0
        self._busy = False

    async def run(self, principal: str, work: Callable[[], T], known: Callable[[], T | None] = lambda: None, *, size: int = 0) -> T:
        """The result of `work`, or of `known` when somebody else has done the same by then. Cancelling takes it out of the queue.

        `size` is that of the document in characters. Raises rate-limited when too much of this principal's waits already.
        """
        waiting = _Waiting(max(size, _LEAST), work, known, asyncio.get_running_loop().create_future())
        queue = self._queues.get(principal)
        if queue is not None and sum(other.size for other in queue) + waiting.size > _WAITING_OF_ONE:
            raise GraphQLRefusal("rate-limited", "too many of your new queries wait to be compiled; wait for their answers", retryAfter=1)
        if self._waiting >= _WAITING_OF_ALL:
            self._make_room(principal)
        self._queues.setdefault(principal, deque()).append(waiting)
        self._waiting += 1
        self._next()
        try:
            result: T = await waiting.done
        finally:
            self._forget(principal, waiting)
            # An error's frames hold this one, which would hold the future that holds the error.
            del waiting
        return result

    def _make_room(self, principal: str) -> None:
        """Whoever has most waiting loses the last of it; the newcomer is refused when that would be themselves."""
        refusal = GraphQLRefusal("rate-limited", "too many new queries wait to be compiled; try again later", retryAfter=5)
        fullest, queue = max(self._queues.items(), key=lambda entry: len(entry[1]))
        if len(queue) <= len(self._queues.get(principal, ())) + 1:
            raise refusal
        last = queue[-1]
        self._forget(fullest, last)
        if not last.done.done():
            last.done.set_exception(refusal)

    def _next(self) -> None:
        """Gives the thread to the first in the order, who goes to its end."""
        while not self._busy and self._queues:
            principal, queue = next(iter(self._queues.items()))
            waiting = queue[0]
            self._forget(principal, waiting)
            if principal in self._queues:
                self._queues.move_to_end(principal)
            self._begin(waiting)

    def _begin(self, waiting: _Waiting) -> None:
        if waiting.done.cancelled():
            return
        try:
            known = waiting.known()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits, not to whoever happens to give them the thread
            waiting.done.set_exception(error)
            return
        if known is not None:
            waiting.done.set_result(known)
            return
        self._busy = True
        running = asyncio.get_running_loop().run_in_executor(self._executor, _swept, waiting.work)
        running.add_done_callback(partial(self._ended, waiting))

    def _ended(self, waiting: _Waiting, running: asyncio.Future[Any]) -> None:
        self._busy = False
        if running.cancelled():
            waiting.done.cancel()
        elif (error := running.exception()) is not None:
            if not waiting.done.cancelled():
                waiting.done.set_exception(error)
        elif not waiting.done.cancelled():
            waiting.done.set_result(running.result())
        self._next()

    def _forget(self, principal: str, waiting: _Waiting) -> None:
        queue = self._queues.get(principal)
        if queue is None or waiting not in queue:
            return
        queue.remove(waiting)
        self._waiting -= 1
        if not queue:
            del self._queues[principal]
