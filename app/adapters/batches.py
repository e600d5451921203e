"""What many ask for at the same moment is written together: a burst of reactions is a few transactions, and each sender hears when its own
is committed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

# In one transaction; the rest waits for the next.
AT_ONCE: Final = 1_000
# SQLSTATEs of a value that PostgreSQL can't read, as they begin.
BAD_VALUE: Final = "22"
# Seconds that the end of a process waits for what was taken and is not written yet.
WRITTEN_WITHIN: Final = 3.0

Write = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome]]]


class _Batch(Generic[Item, Outcome]):
    """What waits to be written by one `write`, and what writes it."""

    def __init__(self, write: Write[Item, Outcome], every: float, closing: asyncio.Event) -> None:
        self._write, self._every, self._closing = write, every, closing
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []

    def add(self, item: Item) -> "asyncio.Future[Outcome]":
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        # Who sent it may be gone before it is written, and written it is.
        outcome.add_done_callback(_seen)
        self._waiting.append((item, outcome))
        return outcome

    async def keep_writing(self) -> None:
        """Until nothing waits, and has not for `every` seconds: two batches never begin closer to each other."""
        while self._waiting:
            now, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            began = asyncio.get_running_loop().time()
            await self._write_some(now)
            if len(self._waiting) < AT_ONCE:
                await self._rest(began + self._every)

    async def _rest(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._closing.wait()
        except TimeoutError:
            return

    async def _write_some(self, batch: "Sequence[tuple[Item, asyncio.Future[Outcome]]]") -> None:
        try:
            outcomes = await self._write([item for item, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is raised where the items came from
            await self._failed(batch, error)
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)

    async def _failed(self, batch: "Sequence[tuple[Item, asyncio.Future[Outcome]]]", error: Exception) -> None:
        """One bad value is its sender's trouble, not that of the others in the batch. Nothing of it was kept."""
        if len(batch) > 1 and getattr(error, "sqlstate", "").startswith(BAD_VALUE):
            half = len(batch) // 2
            await self._write_some(batch[:half])
            await self._write_some(batch[half:])
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)


class ProcessBatches:
    """`domain.ports.Batches`: those of this process, by what they are of."""

    def __init__(self) -> None:
        self._batches: dict[Hashable, _Batch[Any, Any]] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def written(self, of: Hashable, item: Item, write: Write[Item, Outcome], *, every: float) -> Outcome:
        """What came of the item. A batch that a bad value spoils is written in halves; nothing else is tried again."""
        batch = self._batches.get(of)
        if batch is None:
            batch = self._batches[of] = _Batch(write, every, self._closing)
            # In nobody's name: whoever came first may be gone while others wait.
            writing = asyncio.create_task(self._keep(of, batch), name="batch", context=Context())
            self._writing.add(writing)
            writing.add_done_callback(self._writing.discard)
        return await asyncio.shield(batch.add(item))

    async def _keep(self, of: Hashable, batch: _Batch[Any, Any]) -> None:
        try:
            await batch.keep_writing()
        finally:
            del self._batches[of]

    async def close(self) -> None:
        """Returns when all that was taken is written; what the database does not take in time is given up."""
        self._closing.set()
        if self._writing:
            _, late = await asyncio.wait(self._writing, timeout=WRITTEN_WITHIN)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


@asynccontextmanager
async def open_batches() -> AsyncIterator[ProcessBatches]:
    """Batches whose last items are written before the block ends."""
    batches = ProcessBatches()
    try:
        yield batches
    finally:
        await batches.close()


def _seen(outcome: "asyncio.Future[Any]") -> None:
    if not outcome.cancelled():
        outcome.exception()
