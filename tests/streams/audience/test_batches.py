"""What many ask for at a moment is written together, each hears what came of its own, and nothing that was taken is dropped."""

import asyncio
from collections.abc import Sequence

import pytest

from app.adapters.batches import ProcessBatches, open_batches
from resolvers.sql.database import DatabaseError

pytestmark = pytest.mark.anyio
NEVER = 3600.0


class Written:
    """Notes each batch; `gate` holds the writing up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(items))
        await self.gate.wait()
        if -1 in items:
            raise DatabaseError("22P02", "no number")
        if -2 in items:
            raise ConnectionError
        return [item * 10 for item in items]


async def test_the_first_goes_at_once_and_the_others_together(on_batches: ProcessBatches, written: Written) -> None:
    written.gate.clear()
    first = asyncio.create_task(on_batches.written("a", 1, written, every=0.01))
    await asyncio.sleep(0)
    others = [asyncio.create_task(on_batches.written("a", number, written, every=0.01)) for number in range(2, 6)]
    other = asyncio.create_task(on_batches.written("b", 9, written, every=0.01))
    await asyncio.sleep(0)
    written.gate.set()
    assert await asyncio.gather(first, *others, other) == [10, 20, 30, 40, 50, 90]
    assert sorted(written.batches) == [[1], [2, 3, 4, 5], [9]]


async def test_it_rests_between_two_of_them_but_not_at_the_end(written: Written) -> None:
    async with open_batches() as batches:
        assert await batches.written("a", 1, written, every=NEVER) == 10
        waiting = asyncio.create_task(batches.written("a", 2, written, every=NEVER))
        await asyncio.sleep(0)
        assert written.batches == [[1]]
    assert await waiting == 20


async def test_after_a_rest_without_anything_it_goes_at_once_again(on_batches: ProcessBatches, written: Written) -> None:
    for number in range(3):
        assert await on_batches.written("a", number, written, every=0.001) == number * 10
    assert len(written.batches) == 3


async def test_a_sender_that_goes_away_takes_nothing_back(on_batches: ProcessBatches, written: Written) -> None:
    written.gate.clear()
    senders = [asyncio.create_task(on_batches.written("a", number, written, every=0)) for number in (1, 2)]
    await asyncio.sleep(0)
    senders[0].cancel()
    senders[1].cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    written.gate.set()
    await on_batches.close()
    assert sorted(item for batch in written.batches for item in batch) == [1, 2]


async def test_one_bad_value_is_its_senders_trouble(on_batches: ProcessBatches, written: Written) -> None:
    outcomes = await asyncio.gather(*(on_batches.written("a", item, written, every=0) for item in (1, 2, -1, 3)), return_exceptions=True)
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [10, 20, DatabaseError, 30]


async def test_what_may_have_happened_is_not_tried_again(on_batches: ProcessBatches, written: Written) -> None:
    outcomes = await asyncio.gather(*(on_batches.written("a", item, written, every=0) for item in (1, -2)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    assert len(written.batches) == 1
    assert await on_batches.written("a", 3, written, every=0) == 30


@pytest.fixture
async def on_batches() -> ProcessBatches:
    return ProcessBatches()


@pytest.fixture
async def written() -> Written:
    return Written()
