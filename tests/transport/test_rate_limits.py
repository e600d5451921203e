"""The rate limiter, in memory and on a real Valkey, and when that goes away."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.adapters.rate_limits import WindowLimiter, open_limiter
from domain.errors import RateLimited
from tests.support.valkey import valkey
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

RATES = {"initiate": "10/minute", "token": "2/second"}


async def allowed(limiter: WindowLimiter, limit: str, key: str, times: int) -> int:
    """How many of so many uses at once are let through."""
    outcomes = await asyncio.gather(*(limiter.hit(limit, key) for _ in range(times)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {type(None), RateLimited}
    return outcomes.count(None)


async def test_the_limit_holds_for_each_key_and_each_name() -> None:
    limiter = WindowLimiter(RATES)
    assert await allowed(limiter, "initiate", "alice", 50) == 10
    assert await allowed(limiter, "initiate", "bob", 1) == 1
    assert await allowed(limiter, "token", "alice", 50) == 2


async def test_a_refusal_says_when_to_come_back() -> None:
    limiter = WindowLimiter(RATES)
    await allowed(limiter, "initiate", "alice", 10)
    with pytest.raises(RateLimited) as caught:
        await limiter.hit("initiate", "alice")
    retry_after = caught.value.extra["retryAfter"]
    assert isinstance(retry_after, float)
    assert 55 < retry_after <= 60


async def test_processes_share_what_they_count(tmp_path: Path) -> None:
    with valkey(tmp_path) as address:
        url = f"redis://{address}"
        async with open_limiter(RATES, url) as one, open_limiter(RATES, url) as other:
            counts = await asyncio.gather(allowed(one, "initiate", "alice", 30), allowed(other, "initiate", "alice", 30))
    assert sum(counts) == 10


async def test_without_the_broker_each_process_counts_for_itself(tmp_path: Path) -> None:
    with ExitStack() as broker:
        address = broker.enter_context(valkey(tmp_path))
        async with open_limiter(RATES, f"redis://{address}") as limiter:
            await eventually(lambda: reached(limiter))
            broker.close()
            assert await allowed(limiter, "initiate", "alice", 30) == 10


async def reached(limiter: WindowLimiter) -> bool:
    return await allowed(limiter, "token", "bob", 1) == 1
